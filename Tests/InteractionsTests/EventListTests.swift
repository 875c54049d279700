import Interactions
import LogEngine
import SegmentFormat
import StrictJSON
import Testing

@Suite("Lists of events")
struct EventListTests {
    /// What a text gave: the stored lines, or why it was refused.
    private func decode(_ text: String) -> Result<[String], EventListFault> {
        Array(text.utf8).withUnsafeBytes { bytes in
            var list = EventList(resolution: .tenMinutes)
            let batch = LineBatch(capacity: bytes.count + 2)
            do throws(EventFault) {
                while try list.appendNext(of: bytes, to: batch) {}
                #expect(batch.byteCount <= bytes.count + 1)
            } catch {
                return .failure(EventListFault(error, in: bytes))
            }
            return .success(String(decoding: batch.bytes, as: UTF8.self).split(separator: "\n").map(String.init))
        }
    }

    private func fault(_ text: String) -> EventListFault? {
        guard case .failure(let fault) = decode(text) else { return nil }
        return fault
    }

    @Test("one event, a list, and lists in lists give their events in order")
    func shapes() throws {
        let (a, b, c) = (#"{"timestamp":1}"#, #"{"timestamp":2,"x":[[{}]]}"#, #"{"timestamp":3}"#)
        let stored = ["1", "2", "3"].map { #"{"timestamp":"# + $0 }
        for text in [
            "[\(a),\(b),\(c)]", "[[\(a)],[\(b),\(c)]]", " [ [ ] , [[\(a)] , \(b)] , [[[\(c)]]] , [] ] ",
            "[\r\n\(a),\t\(b)\r\n,\(c)]",
        ] {
            let lines = try decode(text).get()
            #expect(lines.count == 3 && zip(lines, stored).allSatisfy { $0.prefix(13) == $1.prefix(13) }, "\(text)")
        }
        #expect(try decode(" \(a) ").get().count == 1)
    }

    @Test("timestamps are floored and ids dropped as in a line of its own")
    func sameAsLines() throws {
        var random = SeededGenerator(seed: 7)
        for _ in 0..<200 {
            let events = (0..<Int.random(in: 1...6, using: &random)).map { index in
                #"{"_id":"x","timestamp":\#(1_361_407_234_567 + index),"n":"\#(UInt64.random(in: 0...99, using: &random))"}"#
            }
            var text = ""
            for (index, event) in events.enumerated() {
                let depth = Int.random(in: 0...3, using: &random)
                text += index == 0 ? "" : ","
                text += String(repeating: "[", count: depth) + event + String(repeating: "]", count: depth)
            }
            #expect(try decode("[\(text)]").get() == events.map { scan($0).stored?.text ?? "" })
        }
    }

    @Test(
        "what is no JSON is told before what is no event",
        arguments: [
            "", "  ", "[", "{", #"[{"timestamp":1}"#, #"[{"timestamp":1},]"#, #"[{"timestamp":1}{"timestamp":1}]"#,
            #"[{"timestamp":1}]]"#, #"{"timestamp":1}x"#, "tru", #"[{"a":1}, {bad]"#, #"[1,2"#, "null", "[null]",
            "[[null]]", #"[{"timestamp":1},null]"#, "[{\"timestamp\":1,\"a\":\"\u{1}\"}]", #"{"timestamp":"1}"#,
            #"{"timestamp":01}"#,
        ])
    func notJSON(text: String) {
        #expect(fault(text)?.kind == .notJSON)
    }

    @Test(
        "JSON without events that are taken is invalid",
        arguments: [
            ("[]", 1), ("[[],[[]]]", 1), ("{}", 1), ("17", 1), (#""text""#, 1), ("true", 1), ("[1]", 1),
            (#"{"timestamp":0}"#, 1), (#"{"timestamp":null}"#, 1), (#"{"timestamp":"1361407200000"}"#, 1),
            (#"{"timestamp":1.5}"#, 1), (#"{"timestamp":1,"timestamp":1}"#, 1), (#"[{"timestamp":1},{}]"#, 2),
            (#"[{},[{"timestamp":1}],[[3]]]"#, 3),
        ])
    func invalid(text: String, events: Int) {
        #expect(fault(text)?.kind == .invalid)
        #expect(fault(text)?.events == events)
    }

    @Test("the offset of a fault counts from the start of the text")
    func offsets() {
        #expect(fault(#"[{"timestamp":1}, {"timestamp":-1}]"#)?.fault == EventFault(.invalidTimestamp, at: 31))
        #expect(fault("[{\"timestamp\":1}, 3]")?.fault == EventFault(.notAnObject, at: 18))
    }

    @Test("nesting is bounded, and so is the length of each event")
    func bounds() throws {
        let deep = String(repeating: "[", count: 5_000) + String(repeating: "]", count: 5_000)
        #expect(fault(deep)?.fault.reason == .tooDeep)
        let event = #"{"timestamp":1,"pad":"\#(String(repeating: "é", count: 600_000))"}"#
        #expect(fault("[\(event)]")?.fault.reason == .tooLong)
        let most = EventScanner.maximumByteCount - #"{"timestamp":1,"pad":""}"#.utf8.count
        let longest = #"{"timestamp":1,"pad":"\#(String(repeating: "x", count: most))"}"#
        #expect(try decode("[\(longest),\(longest)]").get().count == 2)
    }

    @Test("every prefix of a list is refused as no JSON, and nothing beyond it is read")
    func truncation() {
        let page = GuardedPage()
        let text = Array(#"[[{"timestamp":1,"é":"\u00e9"}],{"timestamp":2}]"#.utf8)
        for length in 0..<text.count {
            let bytes = page.holding(text[..<length])
            var list = EventList(resolution: .tenMinutes)
            let batch = LineBatch()
            do throws(EventFault) {
                while try list.appendNext(of: bytes, to: batch) {}
                Issue.record("\(length) bytes were taken")
            } catch {
                #expect(EventListFault(error, in: bytes).kind == .notJSON, "\(length) bytes")
            }
        }
    }
}
