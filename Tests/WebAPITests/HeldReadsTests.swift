import NIOCore
import Testing

@testable import WebAPI

@Suite("HeldReads")
struct HeldReadsTests {
    @Test("what is held comes in its order, and what is put back before it")
    func order() {
        var held = HeldReads<Int>()
        held.hold(.part(2))
        held.hold(.event("input closed"))
        held.hold(.error(ConnectionEnded()))
        held.putBack(1)
        let taken = held.takeAll()
        #expect(taken == ["1", "2", "event input closed", "error"])
        #expect(held.isEmpty)
    }

    @Test("the socket is read while nothing is held and answers are taken")
    func allowed() {
        var held = HeldReads<Int>()
        let atFirst = [held.allowsRead(), held.allowsRead(isWritable: false)]
        held.hold(.part(1))
        let holding = held.allowsRead()
        #expect(atFirst == [true, false] && !holding)
    }

    @Test("reads that were held are made up for once, when nothing is held any more")
    func heldReads() {
        var held = HeldReads<Int>()
        held.hold(.part(1))
        let allowed = [held.allowsRead(), held.allowsRead()]
        let holding = held.takeRead()
        _ = held.takeAll()
        let taken = [held.takeRead(isWritable: false), held.takeRead(), held.takeRead()]
        #expect(allowed == [false, false] && !holding)
        #expect(taken == [false, true, false])
    }

    @Test("no read is made up for that nobody wished for")
    func noWish() {
        var held = HeldReads<Int>()
        held.hold(.part(1))
        _ = held.takeAll()
        let (isAllowed, isTaken) = (held.allowsRead(), held.takeRead())
        #expect(isAllowed && !isTaken)
    }

    @Test("a connection that is gone takes what is held with it")
    func gone() {
        var held = HeldReads<Int>()
        held.hold(.part(1))
        held.dropAll()
        #expect(held.isEmpty)
    }
}

extension HeldReads {
    fileprivate mutating func takeAll() -> [String] {
        var all: [String] = []
        while let next = takeNext() {
            switch next {
            case .part(let part): all.append("\(part)")
            case .event(let event): all.append("event \(event)")
            case .error: all.append("error")
            }
        }
        return all
    }
}
