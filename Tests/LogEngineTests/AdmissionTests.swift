import Testing

@testable import LogEngine

/// How bodies get room as they come.
@Suite("room that grows")
struct AdmissionTests {
    /// A task that has grown, is refused or waits by the time this returns.
    private func grow(_ admission: Admission, by more: Int) -> Task<Result<Void, StoreError>, Never> {
        Task.immediate {
            do throws(StoreError) { return .success(try await admission.grow(by: more)) } catch {
                return .failure(error)
            }
        }
    }

    @Test("it is taken at once where there is some, and given back whole")
    func grows() async throws {
        let gate = AdmissionGate(bound: 100)
        let admission = try await gate.admit(10)
        try await admission.grow(by: 30)
        try await admission.grow(by: 60)
        #expect(admission.bytes == 100 && gate.bytesInFlight == 100)
        #expect(gate.admitNow(1) == nil)
        admission.release()
        #expect(gate.bytesInFlight == 0)
    }

    @Test("who is alone gets more than the bound")
    func alone() async throws {
        let gate = AdmissionGate(bound: 100)
        let admission = try await gate.admit(90)
        try await admission.grow(by: 90)
        #expect(gate.bytesInFlight == 180)
        admission.release()
    }

    @Test("who has the most goes first, and all who have some before those who have none")
    func order() async throws {
        let gate = AdmissionGate(bound: 100)
        let (done, small, large) = (try await gate.admit(50), try await gate.admit(10), try await gate.admit(40))
        let smallGrows = grow(small, by: 30)
        let newcomer = Task.immediate { () throws(StoreError) in try await gate.admit(1) }
        let largeGrows = grow(large, by: 40)
        #expect(gate.bytesInFlight == 100)
        done.release()
        try await largeGrows.value.get()
        #expect(gate.bytesInFlight == 90 && small.bytes == 10)
        large.release()
        try await smallGrows.value.get()
        try await newcomer.value.release()
        #expect(gate.bytesInFlight == 40)
        small.release()
    }

    @Test("where all in flight wait for more, the one with the least is refused, until the others can go on")
    func everyoneWaits() async throws {
        let gate = AdmissionGate(bound: 100)
        let bodies = [try await gate.admit(40), try await gate.admit(25), try await gate.admit(35)]
        let growths = [grow(bodies[0], by: 60), grow(bodies[2], by: 10)]
        #expect(gate.bytesInFlight == 100)
        let refused = await grow(bodies[1], by: 1).value
        expectCode(.busy) { () throws(StoreError) in try refused.get() }
        #expect(gate.bytesInFlight == 100)
        bodies[1].release()
        // 25 are not enough for the largest, so the next one goes as well.
        let second = await growths[1].value
        expectCode(.busy) { () throws(StoreError) in try second.get() }
        bodies[2].release()
        try await growths[0].value.get()
        #expect(gate.bytesInFlight == 100)
        bodies[0].release()
        #expect(gate.bytesInFlight == 0)
    }

    @Test("however many grow at once, some come to their end, and nothing is lost")
    func many() async throws {
        let gate = AdmissionGate(bound: 1_000)
        let done = try await withThrowingTaskGroup(of: Bool.self) { bodies in
            for _ in 0..<200 {
                bodies.addTask {
                    let admission = try await gate.admit(1)
                    defer { admission.release() }
                    do throws(StoreError) {
                        while admission.bytes < 256 {
                            #expect(gate.bytesInFlight <= 1_000)
                            try await admission.grow(by: admission.bytes)
                            await Task.yield()
                        }
                        return true
                    } catch {
                        #expect(error.code == .busy)
                        return false
                    }
                }
            }
            return try await bodies.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(done >= 3)
        #expect(gate.bytesInFlight == 0)
    }

    @Test("a closed gate lets nobody grow")
    func closed() async throws {
        let gate = AdmissionGate(bound: 100)
        let (first, second) = (try await gate.admit(60), try await gate.admit(40))
        let waiting = grow(first, by: 1)
        gate.close()
        for answer in [await waiting.value, await grow(second, by: 1).value] {
            expectCode(.closed) { () throws(StoreError) in try answer.get() }
        }
        first.release()
        second.release()
        #expect(gate.bytesInFlight == 0)
    }
}
