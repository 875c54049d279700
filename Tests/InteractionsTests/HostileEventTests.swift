import Interactions
import SegmentFormat
import Testing

@Suite("The scanner against damaged input")
struct HostileEventTests {
    /// Short, because every byte of it takes every value; yet it holds every kind of token.
    static let rich = Array(
        """
         { "_id":"x" ,"a":["é€😀\\n\\u00e9\\ud83d\\ude00",-1.5e+3,0,\r
        {"timestamp":null,"":[]}],\t"timestamp":1361407200123,"b":true,"_rev":{"c":false}}
        """.utf8)

    @Test("every truncation of an event is refused, and nothing is read past its end")
    func truncations() {
        let page = GuardedPage()
        for length in Self.rich.indices {
            let result = scan(page.holding(Self.rich.prefix(length)), resolution: .tenMinutes)
            #expect(result.fault != nil, "the first \(length) bytes")
            #expect((result.fault?.offset ?? .max) <= length)
        }
        #expect(scan(page.holding(Self.rich[...]), resolution: .tenMinutes).stored != nil)
    }

    @Test("what a changed byte leaves acceptable is stored as a line that scans to itself")
    func changedBytes() {
        var bytes = Self.rich
        var acceptedCount = 0
        for position in bytes.indices {
            let original = bytes[position]
            for value in UInt8.min...UInt8.max where value != original {
                bytes[position] = value
                guard let stored = scan(bytes).stored else { continue }
                acceptedCount += 1
                guard scan(stored.line).stored != stored else { continue }
                Issue.record("byte \(position) as \(value): \(stored.text) does not scan to itself")
            }
            bytes[position] = original
        }
        #expect(acceptedCount > 1_000)
    }

    @Test(
        "random events are accepted, and stored as a slow and simple parser would",
        arguments: 1...40 as ClosedRange<UInt64>)
    func validEvents(seed: UInt64) {
        var events = RandomEvents(seed: seed)
        for _ in 0..<50 {
            let event = events.event()
            let expected = ReferenceParser.stored(event, resolution: .tenMinutes)
            #expect(expected != nil, "seed \(seed): \(String(decoding: event, as: UTF8.self))")
            compare(event, seed: seed)
        }
    }

    @Test("of damaged events, scanner and simple parser accept the same", arguments: 1...40 as ClosedRange<UInt64>)
    func damagedEvents(seed: UInt64) {
        var events = RandomEvents(seed: seed &+ 1_000)
        for _ in 0..<150 { compare(events.damaged(events.event()), seed: seed) }
    }

    private func compare(_ event: [UInt8], seed: UInt64) {
        let expected = ReferenceParser.stored(event, resolution: .tenMinutes)
        let result = scan(event)
        #expect(result.stored == expected, "seed \(seed), \(result): \(String(decoding: event, as: UTF8.self))")
        #expect((result.fault?.offset ?? 0) <= event.count)
    }
}
