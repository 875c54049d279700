import Interactions
import SegmentFormat
import Testing

@Suite("Reading a stored line")
struct StoredLineTests {
    @Test(
        "the timestamp's digits are found wherever it stands",
        arguments: [
            #"{"timestamp":1361407200000,"a":1}"#,
            #"{"timestamp":1361407200000}"#,
            #"{"timestamp": 1361407200000}"#,
            #"{ "timestamp":1361407200000}"#,
            #"{"a":{"timestamp":5},"timestamp":1361407200000}"#,
            #"{"a":"\"timestamp\":7","b":[1,{"timestamp":6}],"timestamp" : 1361407200000 , "c":1}"#,
            #"{"time\u0073tamp":1361407200000}"#,
            #"{"é":"€","\u0074imestamp":1361407200000}"#,
        ])
    func found(line: String) {
        let bytes = Array(line.utf8)
        let range = bytes.withUnsafeBytes(storedTimestamp)
        #expect(range.map { String(decoding: bytes[$0], as: UTF8.self) } == "1361407200000")
    }

    @Test("a zero is a timestamp here")
    func zero() {
        #expect(Array(#"{"timestamp":0,"a":1}"#.utf8).withUnsafeBytes(storedTimestamp) == 13..<14)
    }

    @Test(
        "what is no stored line has none",
        arguments: [
            "", "{", "{}", "[]", #"{"a":1}"#, #"{"timestamp":"#, #"{"timestamp":null}"#, #"{"a":tru,"timestamp":1}"#,
        ])
    func absent(line: String) {
        #expect(Array(line.utf8).withUnsafeBytes(storedTimestamp) == nil)
        #expect(storedTimestamp(UnsafeRawBufferPointer(start: nil, count: 0)) == nil)
    }

    @Test("in every stored random event it is the floored one", arguments: 1...10 as ClosedRange<UInt64>)
    func random(seed: UInt64) throws {
        var events = RandomEvents(seed: seed)
        for _ in 0..<20 {
            let stored = try #require(scan(events.event(), resolution: .oneMillisecond).stored)
            let range = try #require(stored.line.withUnsafeBytes(storedTimestamp), "seed \(seed): \(stored.text)")
            let digits = try #require(UInt64(String(decoding: stored.line[range], as: UTF8.self)))
            #expect(EventTimestamp(digits)?.milliseconds == stored.bucket.milliseconds)
        }
    }
}
