import Synchronization
import Testing

@testable import WebAPI

@Suite("ResponseFlow")
struct ResponseFlowTests {
    @Test("more than the limit waits until the socket has taken enough")
    func bounded() async {
        let counters = Counters()
        let flow = ResponseFlow(counters)
        await flow.reserve(ResponseFlow.limit)
        let second = Task { await flow.reserve(1) }
        flow.release(ResponseFlow.limit)
        await second.value
        #expect(counters.highestUnflushedBytes == ResponseFlow.limit)
    }

    @Test("a piece beyond the limit goes alone")
    func largePiece() async {
        let flow = ResponseFlow(Counters())
        await flow.reserve(2 * ResponseFlow.limit)
        flow.release(2 * ResponseFlow.limit)
        await flow.reserve(1)
    }

    @Test("who waits is let go when the connection closes, or the task is cancelled", arguments: [true, false])
    func letGo(byClosing: Bool) async {
        let flow = ResponseFlow(Counters())
        await flow.reserve(ResponseFlow.limit)
        let waiting = Task { await flow.reserve(1) }
        if byClosing { flow.close() } else { waiting.cancel() }
        await waiting.value
    }

    @Test("a departure is told once, also to those who ask late")
    func departure() {
        let flow = ResponseFlow(Counters())
        let told = Atomic<Int>(0)
        flow.onDeparture { told.add(1, ordering: .relaxed) }
        flow.depart()
        flow.depart()
        #expect(told.load(ordering: .relaxed) == 1)
        flow.onDeparture { told.add(1, ordering: .relaxed) }
        #expect(told.load(ordering: .relaxed) == 2)
    }
}
