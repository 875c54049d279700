import Synchronization
import Testing

@testable import WebAPI

@Suite("ClientDeparture")
struct ClientDepartureTests {
    @Test("a departure is told once, also to those who ask late")
    func once() {
        let departure = ClientDeparture()
        let told = Atomic<Int>(0)
        departure.onDeparture { told.add(1, ordering: .relaxed) }
        departure.depart()
        departure.depart()
        #expect(told.load(ordering: .relaxed) == 1)
        departure.onDeparture { told.add(1, ordering: .relaxed) }
        #expect(told.load(ordering: .relaxed) == 2)
    }

    @Test("only the last who asked is told")
    func replaced() {
        let departure = ClientDeparture()
        let told = Atomic<Int>(0)
        departure.onDeparture { told.add(1, ordering: .relaxed) }
        departure.onDeparture { told.add(10, ordering: .relaxed) }
        departure.depart()
        #expect(told.load(ordering: .relaxed) == 10)
    }
}
