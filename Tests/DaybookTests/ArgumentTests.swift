import SegmentFormat
import Settings
import Testing

@testable import daybook

@Suite("arguments and numbers")
struct ArgumentTests {
    @Test(
        "addresses",
        arguments: [
            ("127.0.0.1:8080", "127.0.0.1", 8080), ("localhost:0", "localhost", 0), ("[::1]:80", "::1", 80),
            ("8080", nil, 0), (":8080", nil, 0), ("a:65536", nil, 0), ("::1:80", nil, 0), ("a:", nil, 0), ("", nil, 0),
        ])
    func addresses(text: String, host: String?, port: Int) {
        #expect(Address(argument: text) == host.map { Address(host: $0, port: port) })
        if host != nil { #expect(Address(argument: text)?.description == text) }
    }

    @Test(
        "resolutions",
        arguments: [
            ("10m", 600_000), ("1h", 3_600_000), ("1ms", 1), ("30s", 30_000), ("24h", 86_400_000), ("1d", 86_400_000),
            ("7m", nil), ("now", nil), ("today", nil), ("2026-11-20", nil), ("1361407200", nil),
            ("48h", nil), ("0m", nil), ("10", nil), ("m", nil), ("", nil), ("-1m", nil), ("99999999999999999999h", nil),
        ] as [(String, UInt64?)])
    func resolutions(text: String, milliseconds: UInt64?) {
        #expect(Resolution(argument: text)?.milliseconds == milliseconds)
    }

    @Test(
        "stretches of time",
        arguments: [
            ("90d", 7_776_000_000, "90d"), ("1w", 604_800_000, "7d"), ("1h", 3_600_000, "1h"),
            ("36525d", 3_155_760_000_000, "36525d"), ("36526d", nil, ""), ("0d", nil, ""), ("-1d", nil, ""),
            ("d", nil, ""),
        ] as [(String, UInt64?, String)])
    func spans(text: String, milliseconds: UInt64?, shown: String) {
        #expect(Span(argument: text)?.milliseconds == milliseconds)
        if milliseconds != nil { #expect(Span(argument: text)?.defaultValueDescription == shown) }
    }

    @Test(
        "sizes, and none for no limit",
        arguments: [
            ("65536", 65_536, "64KiB"), ("256MiB", 256 << 20, "256MiB"), ("1024GiB", 1 << 40, "1TiB"),
            ("1PiB", 1 << 50, "1PiB"), ("100001", 100_001, "100001"), ("65535", nil, ""), ("2PiB", nil, ""),
            ("9223372036854775807KiB", nil, ""), ("GiB", nil, ""), ("1GB", nil, ""), ("-1GiB", nil, ""),
        ] as [(String, Int?, String)])
    func sizes(text: String, bytes: Int?, shown: String) {
        #expect(ByteSize(argument: text)?.bytes == bytes)
        if bytes != nil { #expect(ByteSize(argument: text)?.defaultValueDescription == shown) }
        #expect((Limit<ByteSize>(argument: text) == nil) == (bytes == nil))
        #expect(Limit<ByteSize>(argument: text)?.value?.bytes == bytes)
    }

    @Test("a limit of none is one, and no value")
    func noLimit() {
        let none = Limit<Span>(argument: "none")
        #expect(none != nil && none?.value == nil)
        #expect(Limit<Span>(argument: "nothing") == nil)
    }

    @Test("numbers, times and widths for people")
    func formatting() {
        #expect([0, 12, 123, 1_234, 1_234_567].map(\.grouped) == ["0", "12", "123", "1,234", "1,234,567"])
        #expect((-1_234).grouped == "-1,234")
        #expect(timeText(1_361_407_200_000) == "2013-02-21T00:40:00Z")
        #expect(timeText(5) == "1970-01-01T00:00:00.005Z")
        #expect(timeText(.max) == "18446744073709551615")
        #expect(
            [600_000, 3_600_000, 1, 1_500, 30_000, 86_400_000 * 90, 36 * 3_600_000].map { durationText($0) }
                == ["10m", "1h", "1ms", "1500ms", "30s", "90d", "36h"])
        #expect([0, 1.005, 2.5, 10.999].map(decimalText) == ["0.00", "1.00", "2.50", "11.00"])
        #expect(
            [0, 1_023, 1_024, 1_085, 10_230, 10_235, 102_348, 1_023_487, 1_023_488, 5 << 30, .max].map {
                (bytes: UInt64) in
                sizeText(bytes)
            } == [
                "0 B", "1023 B", "1.00 KiB", "1.06 KiB", "9.99 KiB", "10.0 KiB", "99.9 KiB", "999 KiB", "0.98 MiB",
                "5.00 GiB", "16.0 EiB",
            ])
        #expect([0, 15_757].map(dayText) == ["1970-01-01", "2013-02-21"])
        #expect(UInt64(0xAB).hex == "00000000000000ab")
    }

    @Test("tables align to the right")
    func table() {
        var table = Table(["a", "long"])
        table.add(["123", "–"])
        #expect(table.text == "  a  long\n123     –\n")
    }

    @Test("JSON is written as json.dumps writes it")
    func json() {
        let value = JSONValue.object([
            ("a", .list([.number(1), .null, .bool(true)])), ("b\"", .text("x\n\\")), ("c", .object([])),
            ("d", .decimal("1.50")),
        ])
        #expect(value.description == #"{"a": [1, null, true], "b\"": "x\u000a\\", "c": {}, "d": 1.50}"#)
    }
}
