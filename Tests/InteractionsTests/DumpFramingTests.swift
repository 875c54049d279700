import Testing

@testable import Interactions

@Suite("finding the rows of a dump")
struct DumpFramingTests {
    /// Shows the dump in steps of so many bytes, and cuts away what is not needed, as a reader does.
    private func rows(of text: String, stepBytes: Int) throws(DumpFault) -> [String] {
        let dump = Array(text.utf8)
        var framing = DumpFraming()
        var window: [UInt8] = []
        var (read, base) = (0, 0)
        var rows: [String] = []
        while true {
            let step: DumpFraming.Step
            do throws(DumpFault) {
                step = try Self.step(&framing, window, isAtEnd: read == dump.count)
            } catch {
                throw DumpFault(error.reason, at: base + error.offset)
            }
            switch step {
            case .row(let range): rows.append(String(decoding: window[range], as: UTF8.self))
            case .overlongRow(let start): rows.append("overlong at \(base + start)")
            case .end: return rows
            case .more:
                window.removeFirst(framing.needed)
                base += framing.needed
                framing.drop(framing.needed)
                window += dump[read..<min(read + stepBytes, dump.count)]
                read = min(read + stepBytes, dump.count)
                #expect(window.count <= DumpFraming.maximumRowBytes + 2 * stepBytes)
            }
        }
    }

    private static func step(
        _ framing: inout DumpFraming, _ window: [UInt8], isAtEnd: Bool
    ) throws(DumpFault) -> DumpFraming.Step {
        let result: Result<DumpFraming.Step, DumpFault> = window.withUnsafeBytes { bytes in
            do throws(DumpFault) {
                return .success(try framing.next(bytes, isAtEnd: isAtEnd))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private static let expected = [#"{"id":"a","doc":{"x":"}]{[\"\\"}}"#, "{}", #"{"é":[{},[{}]]}"#]

    private static let forms = [
        #"{"total_rows":3,"offset":0,"rows":["# + "\r\n" + expected.joined(separator: ",\r\n") + "\r\n]}\n",
        #"{"rows":["# + expected.joined(separator: ",") + #"],"update_seq":"12-a\"]}","x":{"rows":[1]}}"#,
        "  [\n  " + expected.joined(separator: "\n  ,\n  ") + "\n]\n",
        "{\n  \"total_rows\" : 3 ,\n  \"rows\" : [ " + expected.joined(separator: " , ") + " ]\n}\n",
    ]

    @Test("every form, in steps of every size", arguments: forms)
    func cut(text: String) throws {
        for stepBytes in 1...text.utf8.count { #expect(try rows(of: text, stepBytes: stepBytes) == Self.expected) }
    }

    @Test("no rows", arguments: ["[]", #"{"rows":[]}"#, #"{"total_rows":0,"rows":[ ],"a":1}"#])
    func empty(text: String) throws {
        for stepBytes in 1...text.utf8.count { #expect(try rows(of: text, stepBytes: stepBytes).isEmpty) }
    }

    @Test("a dump that was cut anywhere is truncated, and every row of it is a whole one", arguments: forms)
    func truncated(text: String) throws {
        let whole = Array(text.utf8)
        let last = whole.lastIndex { $0 == UInt8(ascii: "}") || $0 == UInt8(ascii: "]") } ?? 0
        for cut in 0...last {
            let part = String(decoding: whole[..<cut], as: UTF8.self)
            guard part.utf8.count == cut else { continue }
            #expect(throws: DumpFault(.truncated, at: cut)) { try rows(of: part, stepBytes: 7) }
        }
    }

    @Test(
        "what is no dump is refused where it goes wrong",
        arguments: [
            ("hello", DumpFault(.notADump, at: 0)), (#"{"error":"unauthorized"}"#, DumpFault(.notADump, at: 23)),
            ("{}", DumpFault(.notADump, at: 1)), (#"{"rows":null}"#, DumpFault(.notADump, at: 12)),
            ("[{}] x", DumpFault(.trailingBytes, at: 5)), ("[{},]", DumpFault(.syntax, at: 4)),
            ("[{} {}]", DumpFault(.syntax, at: 4)), (#"{"rows":[],}"#, DumpFault(.syntax, at: 11)),
            (#"{"rows" []}"#, DumpFault(.syntax, at: 8)), (#"{"a":01,"rows":[]}"#, DumpFault(.syntax, at: 6)),
            (#"{"rows":[],"rows":[{}]}"#, DumpFault(.syntax, at: 11)), ("{1:2}", DumpFault(.syntax, at: 1)),
        ])
    func refused(text: String, fault: DumpFault) {
        for stepBytes in [1, 3, 1_000] { #expect(throws: fault) { try rows(of: text, stepBytes: stepBytes) } }
    }

    @Test("a bad row does not hide the next, and one that is too long is not kept")
    func overlong() throws {
        let long = #"{"x":""# + String(repeating: "x", count: DumpFraming.maximumRowBytes) + #""}"#
        #expect(
            try rows(of: #"[{"a":tru},\#(long),{}]"#, stepBytes: 1 << 16) == [#"{"a":tru}"#, "overlong at 11", "{}"])
        let fault = DumpFault(.tooLong, at: 5)
        #expect(throws: fault) { try rows(of: #"{"a":\#(long)"# + long, stepBytes: 1 << 16) }
    }
}
