import Interactions
import SegmentFormat
import StrictJSON
import Testing

/// An input, why it is refused and at which byte.
struct Refusal: Sendable, CustomTestStringConvertible {
    var input: [UInt8]
    var fault: EventFault

    init(_ input: String, _ reason: EventFault.Reason, _ offset: Int) {
        self.init(Array(input.utf8), reason, offset)
    }

    init(_ input: [UInt8], _ reason: EventFault.Reason, _ offset: Int) {
        self.input = input
        fault = EventFault(reason, at: offset)
    }

    /// A top-level value beside a good timestamp; the offset counts from the start of the value.
    static func value(_ value: String, _ reason: EventFault.Reason, _ offset: Int) -> Refusal {
        Refusal(#"{"timestamp":1,"a":\#(value)}"#, reason, 19 + offset)
    }

    /// Raw bytes in a string; the offset counts from the first of them.
    static func text(_ bytes: [UInt8], _ reason: EventFault.Reason, _ offset: Int = 0) -> Refusal {
        Refusal(Array(#"{"timestamp":1,"a":""#.utf8) + bytes + Array(#""}"#.utf8), reason, 20 + offset)
    }

    static func timestamp(_ value: String) -> Refusal {
        Refusal(#"{"timestamp":\#(value)}"#, .invalidTimestamp, 13)
    }

    var testDescription: String { "\(String(decoding: input.prefix(80), as: UTF8.self)): \(fault.reason.rawValue)" }
}

@Suite("What the scanner refuses, and where")
struct RefusedEventTests {
    @Test(
        "an event is exactly one object",
        arguments: [
            Refusal("", .unexpectedEnd, 0),
            Refusal(" \r\n\t", .unexpectedEnd, 4),
            Refusal("[]", .notAnObject, 0),
            Refusal("  null", .notAnObject, 2),
            Refusal("12", .notAnObject, 0),
            Refusal("\"a\"", .notAnObject, 0),
            Refusal("\u{FEFF}{\"timestamp\":1}", .byteOrderMark, 0),
            Refusal("\u{B}{\"timestamp\":1}", .notAnObject, 0),
            Refusal("\0", .notAnObject, 0),
            Refusal(#"{"timestamp":1}x"#, .trailingBytes, 15),
            Refusal(#"{"timestamp":1} {}"#, .trailingBytes, 16),
            Refusal(#"{"timestamp":1},"#, .trailingBytes, 15),
            Refusal("{\"timestamp\":1}\0", .trailingBytes, 15),
        ])
    func oneObject(refusal: Refusal) { check(refusal) }

    @Test(
        "the grammar is that of RFC 8259",
        arguments: [
            Refusal("{", .unexpectedEnd, 1),
            Refusal(#"{"timestamp":1"#, .unexpectedEnd, 14),
            Refusal(#"{"timestamp":1,"#, .unexpectedEnd, 15),
            Refusal(#"{"timestamp":1,}"#, .syntax, 15),
            Refusal(#"{,"timestamp":1}"#, .syntax, 1),
            Refusal(#"{"timestamp"}"#, .syntax, 12),
            Refusal(#"{"timestamp"=1}"#, .syntax, 12),
            Refusal(#"{"timestamp":1 "a":2}"#, .syntax, 15),
            Refusal(#"{"timestamp":1]"#, .syntax, 14),
            Refusal(#"{"timestamp":1a}"#, .syntax, 14),
            Refusal(#"{timestamp:1}"#, .syntax, 1),
            Refusal(#"{'timestamp':1}"#, .syntax, 1),
            Refusal("{\"timestamp\":1,\0}", .syntax, 15),
            Refusal("{\"timestamp\":1\u{C}}", .syntax, 14),
            .value("", .syntax, 0),
            .value("[1,]", .syntax, 3),
            .value("[,1]", .syntax, 1),
            .value("[1 2]", .syntax, 3),
            .value("[1}", .syntax, 2),
            .value("{]", .syntax, 1),
            .value("{1:2}", .syntax, 1),
            .value(#"{"b"}"#, .syntax, 4),
            .value(#"{"b":1,}"#, .syntax, 7),
            .value(#"{"b":}"#, .syntax, 5),
            .value(#"["b":1]"#, .syntax, 4),
            .value("[1", .syntax, 2),
            .value("tru", .syntax, 3),
            .value("True", .syntax, 0),
            .value("nul1", .syntax, 3),
            .value("falsey", .syntax, 5),
            .value("NaN", .syntax, 0),
            .value("Infinity", .syntax, 0),
            .value("1 // one", .syntax, 2),
        ])
    func grammar(refusal: Refusal) { check(refusal) }

    @Test(
        "a number has no leading zero, no plus sign, and digits on both sides of its point",
        arguments: [
            .value("01", .invalidNumber, 1),
            .value("-01", .invalidNumber, 2),
            .value("00", .invalidNumber, 1),
            .value("1.", .invalidNumber, 2),
            .value("1.e5", .invalidNumber, 2),
            .value("1e", .invalidNumber, 2),
            .value("1e+", .invalidNumber, 3),
            .value("1E-x", .invalidNumber, 3),
            .value("-", .invalidNumber, 1),
            .value("--1", .invalidNumber, 1),
            .value("-a", .invalidNumber, 1),
            .value("+1", .syntax, 0),
            .value(".5", .syntax, 0),
            .value("0x10", .syntax, 1),
            .value("1.5.5", .syntax, 3),
            Refusal(#"{"a":-"#, .unexpectedEnd, 6),
            Refusal(#"{"a":1."#, .unexpectedEnd, 7),
        ] as [Refusal])
    func numbers(refusal: Refusal) { check(refusal) }

    @Test(
        "a string has no raw control character, no unknown escape and no half of a surrogate pair",
        arguments: [
            .text([0x00], .controlCharacter),
            .text([0x1F], .controlCharacter),
            .text(Array("plain text\t".utf8), .controlCharacter, 10),
            .text(Array("é\n".utf8), .controlCharacter, 2),
            .text(Array(#"\x"#.utf8), .invalidEscape),
            .text(Array(#"ab\U0041"#.utf8), .invalidEscape, 2),
            .text(Array(#"\u12g4"#.utf8), .invalidEscape),
            .text(Array(#"\u 123"#.utf8), .invalidEscape),
            .text(Array(#"\u123"#.utf8), .invalidEscape),
            .text(Array(#"\ud800"#.utf8), .loneSurrogate),
            .text(Array(#"\ud800x"#.utf8), .loneSurrogate),
            .text(Array(#"\ud800\n"#.utf8), .loneSurrogate),
            .text(Array(#"\ud800\u0041"#.utf8), .loneSurrogate),
            .text(Array(#"\uDBFF\uD800"#.utf8), .loneSurrogate),
            .text(Array(#"\udc00"#.utf8), .loneSurrogate),
            .text(Array(#"\udc00\ud800"#.utf8), .loneSurrogate),
            .text(Array(#"\ud83d\ude00\uDFFF"#.utf8), .loneSurrogate, 12),
            .text(Array(#"\ud83d\ude0"#.utf8), .invalidEscape, 6),
            Refusal(#"{"a":"\"#, .unexpectedEnd, 7),
            Refusal(#"{"a":"\u00"#, .unexpectedEnd, 10),
            Refusal(#"{"a":"\ud800"#, .unexpectedEnd, 12),
            Refusal(#"{"a":"\ud800\"#, .unexpectedEnd, 13),
            Refusal(#"{"a":"b"#, .unexpectedEnd, 7),
        ] as [Refusal])
    func strings(refusal: Refusal) { check(refusal) }

    @Test(
        "UTF-8 has no overlong form, no surrogate, nothing above U+10FFFF and no stray byte",
        arguments: [
            .text([0x80], .invalidUTF8), .text([0xBF], .invalidUTF8),
            .text([0xC0, 0x80], .invalidUTF8), .text([0xC1, 0xBF], .invalidUTF8),
            .text([0xC2], .invalidUTF8), .text([0xC2, 0xC0], .invalidUTF8),
            .text([0xE0, 0x9F, 0xBF], .invalidUTF8), .text([0xE1, 0x80], .invalidUTF8),
            .text([0xE1, 0x80, 0x7F], .invalidUTF8),
            .text([0xED, 0xA0, 0x80], .invalidUTF8), .text([0xED, 0xBF, 0xBF], .invalidUTF8),
            .text([0xF0, 0x8F, 0xBF, 0xBF], .invalidUTF8), .text([0xF4, 0x90, 0x80, 0x80], .invalidUTF8),
            .text([0xF1, 0x80, 0x80], .invalidUTF8), .text([0xF5, 0x80, 0x80, 0x80], .invalidUTF8),
            .text([0xFE], .invalidUTF8), .text([0xFF], .invalidUTF8),
            .text([0xC3, 0xA9, 0xFF], .invalidUTF8, 2),
            .text(Array("abcdefgh".utf8) + [0xFF], .invalidUTF8, 8),
            Refusal(Array(#"{"a":"#.utf8) + [0xE9], .syntax, 5),
        ] as [Refusal])
    func encoding(refusal: Refusal) { check(refusal) }

    @Test(
        "a timestamp is required, once, as an integer in range",
        arguments: [
            Refusal("{}", .missingTimestamp, 1),
            Refusal(#"{"a":{"timestamp":1}}"#, .missingTimestamp, 20),
            Refusal(#"{"_id":1}"#, .missingTimestamp, 8),
            Refusal(#"{"Timestamp":1}"#, .missingTimestamp, 14),
            Refusal(#"{"timestamp":1,"timestamp":1}"#, .duplicateTimestamp, 15),
            Refusal(#"{"timestamp":1,"a":2,"time\u0073tamp":1}"#, .duplicateTimestamp, 21),
            Refusal(#"{"timestamp":"#, .unexpectedEnd, 13),
            .timestamp("0"), .timestamp("00"), .timestamp("01"), .timestamp("-1"), .timestamp("+1"),
            .timestamp("1.0"), .timestamp("1."), .timestamp("1e3"), .timestamp("1E3"), .timestamp("1.5e3"),
            .timestamp("253402300800000"), .timestamp("999999999999999"), .timestamp("1000000000000000"),
            .timestamp("18446744073709551617"), .timestamp("100000000000000000000000000000001"),
            .timestamp("\"1361407200000\""), .timestamp("null"), .timestamp("true"), .timestamp("[1]"),
            .timestamp("{}"), .timestamp(""),
        ] as [Refusal])
    func timestamps(refusal: Refusal) { check(refusal) }

    @Test("65 levels are refused at the bracket that opens the last, however many follow", arguments: [64, 100_000])
    func tooDeep(levels: Int) {
        let arrays = String(repeating: "[", count: levels)
        check(Refusal(#"{"timestamp":1,"a":"# + arrays, .tooDeep, 19 + 63))
        let objects = String(repeating: #"{"a":"#, count: levels)
        check(Refusal(#"{"timestamp":1,"a":"# + objects, .tooDeep, 19 + 5 * 63))
    }

    @Test("more than a mebibyte is refused unread")
    func tooLong() {
        let input = [UInt8](repeating: 0x20, count: EventScanner.maximumByteCount + 1)
        check(Refusal(input, .tooLong, EventScanner.maximumByteCount))
    }

    private func check(_ refusal: Refusal, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(scan(refusal.input).fault == refusal.fault, sourceLocation: sourceLocation)
    }
}
