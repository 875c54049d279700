import ServiceLifecycle
import Settings

/// Runs a job at the times of a schedule, until the server ends. One that fails is told, and tried again at the next
/// time; one that takes longer than that leaves times out.
struct Upkeep: Service {
    /// What it takes from the outside.
    struct Clock: Sendable {
        /// Milliseconds since 1970.
        var now: @Sendable () -> UInt64
        var sleep: @Sendable (Duration) async throws -> Void

        static var system: Clock { Clock(now: WallClock.now, sleep: { try await Task.sleep(for: $0) }) }
    }

    /// A clock that is set anew meanwhile is noticed this soon.
    private static let longestSleep: UInt64 = 60_000

    private let schedule: Schedule
    private let clock: Clock
    private let console: Console
    private let job: @Sendable (Console) async throws -> Void

    /// - Parameter job: gets a console whose output becomes talk of the server.
    init(
        _ schedule: Schedule, _ clock: Clock, _ console: Console,
        job: @escaping @Sendable (Console) async throws -> Void
    ) {
        self.schedule = schedule
        self.clock = clock
        self.console = console
        self.job = job
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while await wait(until: schedule.next(after: clock.now())) { await runOnce() }
        }
    }

    /// False where it is to end.
    private func wait(until due: UInt64) async -> Bool {
        while !Task.isCancelled {
            let now = clock.now()
            if now >= due { return true }
            do {
                try await clock.sleep(.milliseconds(Int64(min(due - now, Self.longestSleep))))
            } catch {
                return false
            }
        }
        return false
    }

    private func runOnce() async {
        let told = Console(ToldJob(console: console))
        let status = await Console.$current.withValue(told) {
            await Daybook.status(on: told) { try await job(told) }
        }
        guard status != ExitStatus.success.rawValue, !Task.isCancelled else { return }
        let next = timeText(schedule.next(after: clock.now()))
        console.say("maintain ended with code \(status); it runs again at \(next)")
    }
}

/// What a job of the server itself prints.
private struct ToldJob: ConsoleSink {
    let console: Console
    let isTerminal = false
    let writesToTerminal = false
    let isClosed = false

    func write(_ output: UnsafeRawBufferPointer) { show(String(decoding: output, as: UTF8.self)) }

    func show(_ talk: String) {
        for line in talk.split(separator: "\n") { console.say("maintain: \(line)") }
    }
}
