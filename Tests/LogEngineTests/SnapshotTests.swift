import SegmentFormat
import TestSupport
import Testing

@testable import LogEngine

@Suite("Waiting for what comes")
struct SnapshotTests {
    private let disk = VirtualDisk()
    private let environment = TestEnvironment()

    private func open() throws(StoreError) -> EventLog {
        try EventLog.open(dataDirectory, options: LogOptions(), environment: environment.on(disk))
    }

    /// A task that waits by the time this returns, unless it has its answer already.
    private func follow(_ log: EventLog, after sequence: UInt64) -> Task<Sequence?, Never> {
        Task.immediate { await log.snapshot(after: Sequence(sequence))?.lastSequence }
    }

    // MARK: - Snapshots

    @Test("a snapshot does not change, whatever is appended or sealed after it")
    func immutable() async throws {
        let log = try open()
        var snapshots: [LogSnapshot] = [log.snapshot()]
        for number in 1...6 {
            _ = try await log.append(TestBatch(10 * number, buckets: [number, 1]).lines, delivery: nil)
            if number % 2 == 0 { try await log.seal() }
            snapshots.append(log.snapshot())
        }
        for (number, snapshot) in snapshots.enumerated() {
            #expect(snapshot.lastSequence.value == UInt64(2 * number))
            for order in ScanRequest.Order.allCases {
                #expect(try readAll(snapshot, ScanRequest(order: order)).events.count == 2 * number)
            }
        }
        try await log.close()
    }

    @Test("the first and the last sequence are those of events, also where an unclean end has left a gap")
    func ends() async throws {
        var disk = disk
        var expected: (first: UInt64, last: UInt64) = (1, 0)
        for round in 0..<4 {
            let log = try EventLog.open(dataDirectory, options: LogOptions(), environment: environment.on(disk))
            for isSealed in [false, true] {
                if isSealed { try await log.seal() }
                let snapshot = log.snapshot()
                #expect(snapshot.firstSequence.value == expected.first && snapshot.lastSequence.value == expected.last)
                let (read, _) = try StoreReader.snapshot(
                    of: dataDirectory, options: LogOptions(), environment: environment.on(disk))
                #expect(read.firstSequence == snapshot.firstSequence && read.lastSequence == snapshot.lastSequence)
            }
            if round > 0 {
                let outcome = try await log.append(TestBatch(10 * round, buckets: [round, 1]).lines, delivery: nil)
                if round == 1 { expected.first = outcome.firstSequence.value }
                expected.last = outcome.firstSequence.value + 1
                #expect(log.snapshot().lastSequence.value == expected.last)
            }
            disk = disk.processCrash()
            try? await log.close()
        }
    }

    @Test("what is there already is not waited for")
    func alreadyThere() async throws {
        let log = try open()
        _ = try await log.append(TestBatch(10, buckets: [1, 2, 3]).lines, delivery: nil)
        for after: UInt64 in 0...2 { #expect(await log.snapshot(after: Sequence(after))?.lastSequence.value == 3) }
        try await log.close()
    }

    @Test("a commit wakes those who wait for its events, and leaves the others waiting")
    func wakes() async throws {
        let log = try open()
        let early = (0..<3).map { _ in follow(log, after: 0) }
        let late = follow(log, after: 2)
        _ = try await log.append(TestBatch(10, buckets: [1, 1]).lines, delivery: nil)
        for task in early { #expect(await task.value?.value == 2) }
        try await log.seal()
        _ = try await log.append(TestBatch(20, buckets: [1]).lines, delivery: nil)
        #expect(await late.value?.value == 3)
        try await log.close()
    }

    @Test("a seal wakes nobody: there is nothing new")
    func sealWakesNobody() async throws {
        let log = try open()
        _ = try await log.append(TestBatch(10, buckets: [1]).lines, delivery: nil)
        let waiting = follow(log, after: 1)
        try await log.seal()
        log.stopFollowing()
        #expect(await waiting.value == nil)
        try await log.close()
    }

    @Test("following ends for those who wait and for those who come, and the log goes on")
    func stopFollowing() async throws {
        let log = try open()
        let waiting = (0..<3).map { follow(log, after: $0) }
        log.stopFollowing()
        for task in waiting { #expect(await task.value == nil) }
        _ = try await log.append(TestBatch(10, buckets: [1]).lines, delivery: nil)
        #expect(await log.snapshot(after: Sequence(0)) == nil && log.snapshot().lastSequence.value == 1)
        try await log.close()
    }

    @Test("a close ends every wait")
    func close() async throws {
        let log = try open()
        let waiting = (0..<3).map { follow(log, after: $0) }
        try await log.close()
        for task in waiting { #expect(await task.value == nil) }
        #expect(await log.snapshot(after: Sequence(0)) == nil)
    }

    @Test("a cancelled task waits no more, be it cancelled before or while it waits; others wait on")
    func cancelled() async throws {
        let log = try open()
        let other = follow(log, after: 0)
        for _ in 0..<200 {
            let waiting = follow(log, after: 0)
            waiting.cancel()
            #expect(await waiting.value == nil)
            let racing = Task { await log.snapshot(after: Sequence(0)) == nil }
            racing.cancel()
            #expect(await racing.value)
        }
        _ = try await log.append(TestBatch(10, buckets: [1]).lines, delivery: nil)
        #expect(await other.value?.value == 1)
        try await log.close()
    }

    // MARK: - Room for what comes in

    /// A task that is in, refused or in line by the time this returns.
    private func admit(
        _ bytes: Int, to gate: AdmissionGate
    ) -> Task<Result<Admission, StoreError>, Never> {
        Task.immediate {
            do throws(StoreError) { return .success(try await gate.admit(bytes)) } catch { return .failure(error) }
        }
    }

    @Test("what fits is let in at once, and its room is given back once, by release or at the end of its life")
    func room() async throws {
        let gate = AdmissionGate(bound: 100)
        let first = try await gate.admit(60)
        var second: Admission? = try await gate.admit(40)
        #expect(gate.bytesInFlight == 100 && second != nil)
        first.release()
        first.release()
        #expect(gate.bytesInFlight == 40)
        second = nil
        #expect(gate.bytesInFlight == 0)
    }

    @Test("who cannot wait is let in only where nobody has to, and not past those in line")
    func now() async throws {
        let gate = AdmissionGate(bound: 100)
        var first: Admission? = gate.admitNow(1_000)
        #expect(first != nil && gate.bytesInFlight == 1_000)
        #expect(gate.admitNow(1) == nil)
        first = gate.admitNow(1)
        #expect(gate.bytesInFlight == 0)
        first = gate.admitNow(90)
        let waiting = admit(20, to: gate)
        #expect(gate.admitNow(1) == nil)
        first?.release()
        try await waiting.value.get().release()
        gate.close()
        #expect(gate.admitNow(1) == nil)
    }

    @Test("more than the whole bound is let in when nothing else is in flight")
    func beyondTheBound() async throws {
        let gate = AdmissionGate(bound: 100)
        let huge = try await gate.admit(1_000)
        let next = admit(1, to: gate)
        #expect(gate.bytesInFlight == 1_000)
        huge.release()
        let held = try await next.value.get()
        #expect(gate.bytesInFlight == 1)
        held.release()
    }

    @Test("those who wait are let in in the order in which they came, a small one not before a large one")
    func order() async throws {
        for _ in 0..<50 {
            let gate = AdmissionGate(bound: 100)
            let first = try await gate.admit(90)
            let (large, small) = (admit(50, to: gate), admit(10, to: gate))
            let last = admit(60, to: gate)
            #expect(gate.bytesInFlight == 90)
            first.release()
            let (second, third) = (try await large.value.get(), try await small.value.get())
            #expect(gate.bytesInFlight == 60)
            second.release()
            let fourth = try await last.value.get()
            #expect(gate.bytesInFlight == 70)
            third.release()
            fourth.release()
        }
    }

    @Test("beyond so many who wait, whoever comes is refused as busy; those in line are let in")
    func busy() async throws {
        let gate = AdmissionGate(bound: 100)
        let first = try await gate.admit(100)
        let waiting = (0..<Bounds.waitingAppends).map { _ in admit(1, to: gate) }
        for _ in 0..<3 {
            let refused = await admit(1, to: gate).value
            expectCode(.busy) { () throws(StoreError) in _ = try refused.get() }
        }
        first.release()
        for task in waiting { try await task.value.get().release() }
        #expect(gate.bytesInFlight == 0)
    }

    @Test("a closed gate refuses whoever waits and whoever comes")
    func closed() async throws {
        let gate = AdmissionGate(bound: 100)
        let first = try await gate.admit(100)
        let waiting = (0..<3).map { _ in admit(1, to: gate) }
        gate.close()
        for task in waiting + [admit(1, to: gate)] {
            let answer = await task.value
            expectCode(.closed) { () throws(StoreError) in _ = try answer.get() }
        }
        first.release()
        #expect(gate.bytesInFlight == 0)
    }

    @Test("a closed log admits nothing; what was taken in before is still given back")
    func closedLog() async throws {
        let log = try open()
        let admission = try await log.admit(10)
        try await log.close()
        await #expect(throws: StoreError.self) { try await log.admit(1) }
        #expect(log.health.bytesInFlight == 10)
        admission.release()
        #expect(log.health.bytesInFlight == 0)
    }
}
