import Interactions
import StrictJSON
import Testing

/// A line with its number and its place in the body.
struct ExpectedLine: Equatable, Sendable {
    var text: String
    var number: Int
    var offset: Int

    init(_ text: String, _ number: Int, at offset: Int) {
        (self.text, self.number, self.offset) = (text, number, offset)
    }
}

@Suite("The lines of a body")
struct NDJSONLinesTests {
    @Test(
        "LF or CRLF ends a line, blank ones count but are left out",
        arguments: [
            ("", []),
            ("\n", []),
            ("\r\n \t\r\n\n", []),
            ("a", [ExpectedLine("a", 1, at: 0)]),
            ("a\n", [ExpectedLine("a", 1, at: 0)]),
            ("a\r\n", [ExpectedLine("a", 1, at: 0)]),
            ("a\nb", [ExpectedLine("a", 1, at: 0), ExpectedLine("b", 2, at: 2)]),
            ("a\r\nb\r\n", [ExpectedLine("a", 1, at: 0), ExpectedLine("b", 2, at: 3)]),
            ("\n\na\n\n b \n", [ExpectedLine("a", 3, at: 2), ExpectedLine(" b ", 5, at: 5)]),
            ("a\rb\r\r\nc", [ExpectedLine("a\rb\r", 1, at: 0), ExpectedLine("c", 2, at: 6)]),
            ("a\n \t", [ExpectedLine("a", 1, at: 0)]),
        ] as [(String, [ExpectedLine])])
    func lines(body: String, expected: [ExpectedLine]) {
        let found = Array(body.utf8).withUnsafeBytes { bytes in
            NDJSONLines(bytes).map { ExpectedLine(String(decoding: $0.line, as: UTF8.self), $0.number, at: $0.offset) }
        }
        #expect(found == expected)
    }

    @Test("a body without an address has no lines")
    func noAddress() {
        var lines = NDJSONLines(UnsafeRawBufferPointer(start: nil, count: 0))
        #expect(lines.next() == nil)
    }
}
