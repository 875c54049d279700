import SegmentFormat
import StrictJSON
import Testing

@testable import Interactions

@Suite("What becomes of a browser's blobs")
struct BlobIntakeTests {
    private static let stamp = #""timestamp":1795168800000"#

    @Test("what is not known stays byte for byte, wherever it stands")
    func unknownStays() throws {
        let blob = #"{ "rp_api" : [1, {"a" :"é\u00e9\/"}] , "timestamp":1795168800000,"x":1.50e+3 , "y": null }"#
        let taken = try TakenBlobs(blob)
        #expect(taken.lines == [blob])
        #expect(taken.changes.isEmpty)
    }

    @Test("the samples of the contract pass as they are, floored")
    func samples() throws {
        let sample = """
            {"event_stream":[["window.dom_loading",972],["xhr_complete.GET/wsapi/session_context",2723,294],["x",-5,null,3]],\
            "sample_rate":1,"timestamp":1361407204322,"lang":"en","new_account":false,\
            "screen_size":{"width":1680,"height":1050},"number_emails":1,"number_sites_signed_in":1,\
            "number_sites_remembered":1,"orphaned":false,"user_agent":{"os":"Macintosh","browser":"Firefox","version":18}}
            """
        #expect(try TakenBlobs(sample).lines == [sample.replacing("1361407204322", with: "1361407200000")])
    }

    @Test(
        "lists in lists are flattened, newest first as they came",
        arguments: [
            ("[]", []), ("[[],[[]]]", []), (#"{"timestamp":1795168800001}"#, [1]),
            (#" [ {"timestamp":1795168800001,"n":2} , [[{"timestamp":1795168800001,"n":1}]]]"#, [2, 1]),
        ])
    func lists(data: String, numbers: [Int]) throws {
        let lines = try TakenBlobs(data).lines
        #expect(lines.count == numbers.count)
        if lines.count == 2 {
            #expect(lines == numbers.map { #"{"timestamp":1795168800000,"n":\#($0)}"# })
        }
    }

    @Test(
        "a dropped member goes with one comma",
        arguments: [
            (#"{"local_timestamp":"Tue Feb 12 2013 10:07:03 GMT-0800","timestamp":1795168800000}"#, "{\(stamp)}"),
            (#"{"timestamp":1795168800000,"local_timestamp":5}"#, "{\(stamp)}"),
            (#"{"timestamp":1795168800000, "local_timestamp":5 ,"x":1}"#, #"{\#(stamp),"x":1}"#),
            (#"{"local\u005ftimestamp":5,"timestamp":1795168800000}"#, "{\(stamp)}"),
            (#"{"_id":"a","timestamp":1795168800000,"_rev":"b"}"#, "{\(stamp)}"),
        ])
    func dropped(blob: String, line: String) throws {
        let taken = try TakenBlobs(blob)
        #expect(taken.lines == [line])
    }

    @Test(
        "a time is floored, put in where it is missing, and replaced where it cannot be",
        arguments: [
            (#"{}"#, #"{"timestamp":1795168800000}"#, BlobChange.timestampMissing),
            (#"{"x":1}"#, #"{"x":1,"timestamp":1795168800000}"#, .timestampMissing),
            (#"{"timestamp":null,"x":1}"#, #"{"x":1,"timestamp":1795168800000}"#, .timestampMissing),
            (#"{"timestamp":1795255623500}"#, #"{"timestamp":1795255200000}"#, nil),
            (#"{"timestamp":1795255623501}"#, #"{"timestamp":1795168800000}"#, .timestampAhead),
            (#"{"timestamp":13330461000000}"#, #"{"timestamp":1795168800000}"#, .timestampAhead),
            (#"{"timestamp":1336575273}"#, #"{"timestamp":1336575000}"#, nil),
            (#"{"timestamp":5}"#, #"{"timestamp":1795168800000}"#, .timestampTooOld),
            (#"{"timestamp":100000000001}"#, #"{"timestamp":1795168800000}"#, .timestampTooOld),
            (#"{"timestamp":600}"#, #"{"timestamp":600}"#, nil),
        ])
    func times(blob: String, line: String, change: BlobChange?) throws {
        let taken = try TakenBlobs(blob)
        #expect(taken.lines == [line])
        #expect(taken.changes == change.map { [$0: 1] } ?? [:])
        // Whoever reads the line again finds the bucket that it was stored under.
        var line = Array(line.utf8)
        let scanned = try line.withUnsafeMutableBytes { bytes in
            guard let base = bytes.baseAddress else { throw EventFault(.unexpectedEnd, at: 0) }
            let copy = Array(bytes)
            return try copy.withUnsafeBytes { try EventScanner(resolution: .tenMinutes).scan($0, into: base) }
        }
        #expect(scanned.bucket.milliseconds == taken.buckets[0])
    }

    @Test(
        "the browser's own name is put in where it is missing",
        arguments: [
            (
                #"{"timestamp":1795168800000}"#,
                #"{"timestamp":1795168800000,"user_agent":{"os":"Linux","browser":"Firefox","version":140}}"#
            ),
            (
                #"{"user_agent":null,"timestamp":1795168800000}"#,
                #"{"timestamp":1795168800000,"user_agent":{"os":"Linux","browser":"Firefox","version":140}}"#
            ),
            (
                #"{"user_agent":{"os":"X"},"timestamp":1795168800000}"#,
                #"{"user_agent":{"os":"X"},"timestamp":1795168800000}"#
            ),
        ])
    func agents(blob: String, line: String) throws {
        let agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
        #expect(try TakenBlobs(blob, agent: agent).lines == [line])
    }

    @Test(
        "a version that is a text is cut before its first dot",
        arguments: [
            (#"{"version":"18.0.1"}"#, #"{"version":"18"}"#), (#"{"version":"10.0.0.1"}"#, #"{"version":"10"}"#),
            (#"{"version":"42"}"#, #"{"version":"42"}"#), (#"{"version":18.5}"#, #"{"version":18.5}"#),
            (#"{"version":null}"#, #"{"version":null}"#),
        ])
    func versions(agent: String, stored: String) throws {
        let taken = try TakenBlobs(#"{"timestamp":1795168800000,"user_agent":\#(agent)}"#)
        #expect(taken.lines == [#"{"timestamp":1795168800000,"user_agent":\#(stored)}"#])
        #expect(taken.changes.isEmpty)
    }

    @Test(
        "a sample multiplies the rate that is there, or puts one in",
        arguments: [
            (#"{"timestamp":1795168800000}"#, #"{"timestamp":1795168800000,"sample_rate":0.25}"#),
            (#"{"sample_rate":null,"timestamp":1795168800000}"#, #"{"timestamp":1795168800000,"sample_rate":0.25}"#),
            (#"{"sample_rate":0.5,"timestamp":1795168800000}"#, #"{"sample_rate":0.125,"timestamp":1795168800000}"#),
            (
                #"{"sample_rate":0.0001,"timestamp":1795168800000}"#,
                #"{"sample_rate":2.5e-05,"timestamp":1795168800000}"#
            ),
        ])
    func rates(blob: String, line: String) throws {
        let sample = try #require(SessionSample(rate: 0.25))
        #expect(try TakenBlobs(blob, sample: sample).lines == [line])
    }

    @Test("what is not known passes, is dropped, or refuses the blob")
    func unknownFields() throws {
        let blob = #"{"timestamp":1795168800000,"rp_api":"get","lang":null}"#
        #expect(try TakenBlobs(blob).lines == [blob])
        let dropped = try TakenBlobs(blob, unknown: .drop)
        #expect(dropped.lines == [#"{"timestamp":1795168800000,"lang":null}"#])
        #expect(dropped.changes == [.unknownField: 1])
        let fault = try #require(blobFault(of: blob, unknown: .refuse))
        #expect(fault.reason == .unknownField)
        #expect(fault.field == "rp_api")
    }

    @Test("a thousand blobs may come together, and no more")
    func bound() throws {
        let blobs = { "[" + [String](repeating: "{}", count: $0).joined(separator: ",") + "]" }
        #expect(try TakenBlobs(blobs(1_000)).lines.count == 1_000)
        #expect(blobFault(of: blobs(1_001))?.reason == .tooMany)
    }

    @Test("one bad blob is named by its place among those that came")
    func whichBlob() {
        let fault = blobFault(of: #"[{"timestamp":1},[{"timestamp":2},{"number_emails":"3"}]]"#)
        #expect(fault?.blob == 2)
        #expect(fault?.field == "number_emails")
        #expect(blobFault(of: "[{},7]")?.reason == .notABlob)
        #expect(blobFault(of: "null")?.reason == .notABlob)
        #expect(blobFault(of: #"{"timestamp":1795168800000,"timestamp":1795168800000}"#)?.reason == .badEvent)
    }
}
