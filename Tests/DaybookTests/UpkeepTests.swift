import LogEngine
import SegmentFormat
import Settings
import Synchronization
import TestSupport
import Testing

@testable import daybook

@Suite("scheduled maintenance")
struct UpkeepTests {
    /// Of the tests' day.
    private static let midnight: UInt64 = 20_775 * 86_400_000
    private static let minute: UInt64 = 60_000

    /// A clock that sleeping moves on, and that ends the upkeep once it has come to a time.
    private static func clock(_ clock: ManualClock, until end: UInt64, _ naps: Naps = Naps()) -> Upkeep.Clock {
        Upkeep.Clock(
            now: { clock.now },
            sleep: { duration in
                let milliseconds = UInt64(duration / .milliseconds(1))
                naps.all.withLock { $0.append(milliseconds) }
                clock.advance(by: milliseconds)
                if clock.now >= end { throw CancellationError() }
            })
    }

    private final class Naps: Sendable {
        let all = Mutex<[UInt64]>([])
    }

    @Test("it runs at each time, and one that takes long leaves times out")
    func times() async throws {
        let clock = ManualClock(Self.midnight + 30 * Self.minute)
        let runs = Mutex<[UInt64]>([])
        let upkeep = Upkeep(
            .daily([60, 90, 120]), Self.clock(clock, until: Self.midnight + 1_510 * Self.minute), Console(SaidText())
        ) { _ in
            runs.withLock { $0.append((clock.now - Self.midnight) / Self.minute) }
            // The second takes 40 minutes.
            if runs.withLock({ $0.count }) == 2 { clock.advance(by: 40 * Self.minute) }
        }
        try await upkeep.run()
        #expect(runs.withLock { $0 } == [60, 90, 1_500])
    }

    @Test("it never sleeps for more than a minute, so that a clock that is set anew is noticed")
    func naps() async throws {
        let (clock, naps) = (ManualClock(Self.midnight), Naps())
        let end = Self.midnight + 200_500
        let upkeep = Upkeep(.every(100_250), Self.clock(clock, until: end, naps), Console(SaidText())) { _ in }
        try await upkeep.run()
        let first = 100_250 - Self.midnight % 100_250
        #expect(naps.all.withLock { $0.allSatisfy { $0 <= 60_000 } && $0.reduce(0, +) >= first })
    }

    @Test("a failure is told with its code, and the job is tried at the next time")
    func failures() async throws {
        let (clock, said) = (ManualClock(Self.midnight), SaidText())
        let runs = Mutex(0)
        let upkeep = Upkeep(
            .every(60 * Self.minute), Self.clock(clock, until: Self.midnight + 190 * Self.minute), Console(said)
        ) { console in
            let run = runs.withLock { runs in
                runs += 1
                return runs
            }
            try console.write("step \(run)\nstep \(run) again\n")
            if run == 1 { throw CommandFailure(.noRoom, "no room for it") }
            if run == 2 { throw CommandFailure(.alreadyRunning, "") }
        }
        try await upkeep.run()
        #expect(
            said.text == """
                maintain: step 1
                maintain: step 1 again
                maintain: daybook: no room for it
                maintain ended with code 73; it runs again at 2026-11-18T02:00:00Z
                maintain: step 2
                maintain: step 2 again
                maintain ended with code 5; it runs again at 2026-11-18T03:00:00Z
                maintain: step 3
                maintain: step 3 again

                """)
    }

    @Test("what runs is maintain, on the server's log, one at a time with those of others")
    func maintain() async throws {
        let directory = try TemporaryDirectory()
        let (clock, said) = (ManualClock(Self.midnight), SaidText())
        var environment = Environment.system
        environment.now = { clock.now }
        let log = try EventLog.open(directory.path, options: LogOptions(), environment: environment)
        _ = try await log.append(TestBatch(1, buckets: [0]).lines, delivery: nil)
        try await log.setPolicy(RetentionPolicy(maxAgeMilliseconds: 10 * Self.minute))
        let board = JobBoard()
        let upkeep = Upkeep(
            .every(60 * Self.minute), Self.clock(clock, until: Self.midnight + 70 * Self.minute), Console(said)
        ) { console in
            try await board.run(MaintainCommand.parse([]), on: log, console)
        }
        try await upkeep.run()
        #expect(log.horizon == Bucket(milliseconds: Self.midnight + 50 * Self.minute))
        #expect(said.text.contains("maintain: compacted 1 segments into 1, 1 events"))
        #expect(said.text.contains("maintain: purged 1 segments, 1 events"), "\(said.text)")
        #expect(!said.text.contains("ended with code"))
        try await log.close()
    }
}
