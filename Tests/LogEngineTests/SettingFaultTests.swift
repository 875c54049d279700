import SegmentFormat
import TestSupport
import Testing

@testable import LogEngine

/// What a stream is told to keep.
private struct Settings: Hashable {
    var policy = RetentionPolicy.forever
    var holds: [Hold] = []

    init() {}

    init(_ log: EventLog) {
        policy = log.policy
        holds = log.holds
    }
}

/// A stream whose settings are changed, one after the other, until one change fails.
private struct SettingStory {
    let disk: VirtualDisk
    let environment: TestEnvironment
    var options = LogOptions()
    /// What was answered with success last, or is still there after a refusal.
    var owed = Settings()
    /// What may be there instead, since a change failed and poisoned the log.
    var possible: Settings?
    var failure: StoreError?
    /// The disk as it was when a change failed.
    private var beforeClose: VirtualDisk?

    init(from start: VirtualDisk, _ environment: TestEnvironment, reserve: UInt64 = LogOptions().reserveBytes) {
        disk = start.copy()
        self.environment = environment
        options.reserveBytes = reserve
    }

    func open(_ disk: VirtualDisk) throws(StoreError) -> EventLog {
        try EventLog.open(dataDirectory, options: options, environment: environment.on(disk))
    }

    mutating func tell() async throws(StoreError) {
        let log = try open(disk)
        var next = owed
        next.policy = RetentionPolicy(maxBytes: 1 << 40)
        await change(log, to: next) { () throws(StoreError) in
            try await log.setPolicy(RetentionPolicy(maxBytes: 1 << 40))
        }
        for number in 1...2 as ClosedRange<UInt64> {
            let hold = hold(number)
            next.holds.append(hold)
            await change(log, to: next) { () throws(StoreError) in
                _ = try await log.addHold(5...hold.to.milliseconds, reason: hold.reason)
            }
        }
        next.holds.removeLast()
        await change(log, to: next) { () throws(StoreError) in _ = try await log.removeHold(2) }
        next.policy = .forever
        await change(log, to: next) { () throws(StoreError) in try await log.setPolicy(.forever) }
        do throws(StoreError) { try await log.close() } catch { failure = failure ?? error }
    }

    private func hold(_ number: UInt64) -> Hold {
        Hold(
            number: number, from: .earliest, to: .ofTest(1), created: environment.clock.now / 600_000 * 600_000,
            reason: String(repeating: "x", count: 600))
    }

    private mutating func change(
        _ log: EventLog, to next: Settings, by call: () async throws(StoreError) -> Void
    ) async {
        guard failure == nil else { return }
        do throws(StoreError) {
            try await call()
            owed = next
            #expect(Settings(log) == owed)
        } catch {
            failure = error
            beforeClose = disk.copy()
            if log.health.failure != nil { possible = next } else { #expect(Settings(log) == owed) }
        }
    }

    /// Whether a disk has what it should. A full one is opened as it is where there is RESERVE.
    func isKept(on disk: VirtualDisk) async -> Bool {
        if options.reserveBytes == 0 { disk.freeBytes = 1 << 30 }
        do throws(StoreError) {
            let log = try open(disk)
            let found = Settings(log)
            try await log.close()
            return found == owed || found == possible
        } catch {
            return false
        }
    }

    /// What the next process finds when this one is killed, and what a power loss leaves.
    func expectKept(_ what: String, seed: Int) async {
        for left in [disk, beforeClose].compactMap({ $0 }) {
            for loss in PowerLoss.all(at: seed) {
                #expect(await isKept(on: loss.of(left)), "\(what), \(loss)\n\(disk.history())")
            }
            #expect(await isKept(on: left.copy()), "\(what), killed\n\(disk.history())")
        }
    }
}

@Suite("Policies and holds on a disk that fails")
struct SettingFaultTests {
    private let environment = TestEnvironment()

    /// A disk with an empty store.
    private func start() async throws(StoreError) -> VirtualDisk {
        let disk = VirtualDisk()
        try await SettingStory(from: disk, environment).open(disk).close()
        return disk
    }

    @Test("cut at any operation: what was answered is there, a change is there as a whole or not at all")
    func everyCut() async throws {
        let start = try await start()
        var cut = 0
        var isCut = true
        while isCut {
            cut += 1
            var story = SettingStory(from: start, environment)
            story.disk.stop(at: cut)
            do throws(StoreError) { try await story.tell() } catch { story.failure = error }
            isCut = story.disk.isStopped
            await story.expectKept("cut at operation \(cut)", seed: cut)
        }
        #expect(cut > 30)
    }

    @Test(
        "a call that fails poisons the log, or leaves what was there",
        arguments: [DiskFault.inputOutput, .noSpace], [LogOptions().reserveBytes, 0])
    func everyFault(fault: DiskFault, reserve: UInt64) async throws {
        let start = try await start()
        var outcomes: Set<String> = []
        for call in DiskCall.allCases {
            var number = 1
            var isStruck = true
            while isStruck {
                var story = SettingStory(from: start, environment, reserve: reserve)
                story.disk.fail(call, at: number, with: fault)
                do throws(StoreError) { try await story.tell() } catch { story.failure = error }
                isStruck = story.disk.faultsStruck > 0
                story.disk.clearFaults()
                await story.expectKept("\(fault) at \(call) \(number)", seed: number)
                outcomes.insert(story.failure.map { $0.code.rawValue } ?? "stored")
                number += 1
            }
        }
        #expect(outcomes.isSuperset(of: fault == .noSpace ? ["stored"] : ["disk", "stored"]))
    }

    @Test(
        "whatever room there is, refused or stored, never between", arguments: [LogOptions().reserveBytes, 0])
    func anyRoom(reserve: UInt64) async throws {
        let start = try await start()
        var refused = 0
        for room in stride(from: 0 as UInt64, to: 3_000, by: 61) {
            var story = SettingStory(from: start, environment, reserve: reserve)
            let log = try story.open(story.disk)
            try await log.close()
            story.disk.freeBytes = room
            try? await story.tell()
            if story.failure != nil { refused += 1 }
            #expect(story.failure?.code == .noSpace || story.failure == nil, "room for \(room) bytes")
            #expect(reserve == 0 || story.failure == nil, "RESERVE pays: \(room) bytes")
            await story.expectKept("room for \(room) bytes", seed: Int(room))
        }
        #expect((refused > 0) == (reserve == 0))
    }
}
