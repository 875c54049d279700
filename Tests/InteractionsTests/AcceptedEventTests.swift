import Interactions
import SegmentFormat
import Testing

@Suite("What the scanner accepts")
struct AcceptedEventTests {
    @Test(
        "an accepted event is stored byte for byte",
        arguments: [
            #"{"timestamp":1361407200000}"#,
            #"{"timestamp":1361407200000,"a":0,"b":-0,"c":-0.0e+00,"d":1E-2,"e":1e999,"f":12345678901234567890}"#,
            #"{"a":true,"b":false,"c":null,"timestamp":1361407200000}"#,
            #"{ "timestamp" : 1361407200000 , "a" : [ 1 , 2 ] }"#,
            #"{"a":[],"b":{},"c":[[],{},[[]]],"d":{"e":{"f":[{}]}},"timestamp":1361407200000}"#,
            #"{"":1,"a":2,"a":3,"timestamp":1361407200000}"#,
            #"{"a":"\"\\\/\b\f\n\r\t\u0000\uFFFF\uffff","timestamp":1361407200000}"#,
            #"{"a":"\ud83d\ude00\uD83D\uDE00","timestamp":1361407200000}"#,
            "{\"a\":\"\u{7F}\u{80}\u{7FF}\u{800}\u{D7FF}\u{E000}\u{FFFF}\u{10000}\u{10FFFF}\u{FEFF}\","
                + "\"timestamp\":1361407200000}",
            #"{"é":"żółć","日本":"語","timestamp":1361407200000}"#,
            #"{"a":{"timestamp":"x","_id":1,"_rev":2},"b":[{"timestamp":0}],"timestamp":1361407200000}"#,
            #"{"Timestamp":1,"timestamps":2,"timestam":3,"_ids":4,"_re":5,"id":6,"timestamp":1361407200000}"#,
            #"{"time\u0073tamp":1361407200000}"#,
            #"{"\u0074\u0069\u006D\u0065\u0073\u0074\u0061\u006d\u0070":1361407200000}"#,
            #"{"timestamp\u0000":1,"\ntimestamp":2,"timestamp":1361407200000}"#,
        ])
    func verbatim(line: String) {
        #expect(scan(line).stored?.text == line)
    }

    @Test(
        "white space around the event is dropped, a CR or LF inside becomes a space",
        arguments: [
            (" \t\r\n{\"timestamp\":600}\r\n\t ", "{\"timestamp\":600}"),
            ("{\"timestamp\":600}\r", "{\"timestamp\":600}"),
            ("{\n\"a\"\r:\r\n[\n1\r,\n2]\n,\t\"timestamp\"\n:\n600\n}", "{ \"a\" :  [ 1 , 2] ,\t\"timestamp\" : 600 }"),
            ("{\"a\":\"\\n\\r\",\n\"timestamp\":600}", "{\"a\":\"\\n\\r\", \"timestamp\":600}"),
        ])
    func lineBreaks(input: String, line: String) {
        #expect(scan(input).stored?.text == line)
    }

    @Test("a string is read to its end wherever it lies among the words of eight bytes", arguments: 0..<40)
    func stringLengths(length: Int) {
        let filler = String(repeating: "x", count: length)
        for special in ["", "\\\"", "\\u00e9", "é", "😀", "\\ud83d\\ude00"] {
            let line = "{\"timestamp\":600,\"\(filler)\(special)\":\"\(filler)\(special)\(filler)\"}"
            #expect(scan(line).stored?.text == line)
        }
    }

    @Test("64 levels are accepted, of arrays as of objects")
    func deepest() {
        let arrays = String(repeating: "[", count: 63) + String(repeating: "]", count: 63)
        let objects = String(repeating: "{\"a\":", count: 62) + "{}" + String(repeating: "}", count: 62)
        for value in [arrays, objects] {
            let line = "{\"timestamp\":600,\"a\":\(value),\"b\":\(value)}"
            #expect(scan(line).stored?.text == line)
        }
    }

    @Test("an event of exactly one mebibyte is accepted")
    func longest() {
        let frame = #"{"timestamp":600,"a":""}"#
        let filler = String(repeating: "x", count: EventScanner.maximumByteCount - frame.utf8.count)
        let line = #"{"timestamp":600,"a":"\#(filler)"}"#
        #expect(scan(line).stored?.line.count == EventScanner.maximumByteCount)
    }
}
