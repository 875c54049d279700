import Glibc
import Interactions
import SegmentFormat
import StrictJSON
import Testing

@Suite("Events as clients send them")
struct SampleEventTests {
    /// From the production dashboard and from the storage server's own tests.
    static let sample = [
        #"{"event_stream":[["window.dom_loading",972],["window.channel_established",2720],["screen.rp_info",2721],["#
            + #""xhr_complete.GET/wsapi/session_context",2723,294],["screen.authenticate",3032],["#
            + #""assertion_generated",23761],["window.unload",25564]],"sample_rate":1,"timestamp":1361407200000,"#
            + #""lang":"en","new_account":false,"screen_size":{"width":1680,"height":1050},"number_emails":1,"#
            + #""orphaned":false,"user_agent":{"os":"Macintosh","browser":"Firefox","version":18}}"#,
        #"{"timestamp":1333046104322,"event_stream":[["picker",732],["picker::change",1700],["picker::signin",2300]],"#
            + #""email_type":"secondary","number_emails":3,"new_account":false,"language":"en_US","#
            + #""screen_size":{"width":640,"height":480},"sample_rate":1.0,"#
            + #""user_agent":{"os":"TestOS","browser":"Foo","version":"42"}}"#,
        #"{"timestamp":1336575273,"lang":null}"#,
        #"{"timestamp":13330461000000,"event_stream":[]}"#,
    ]

    @Test("at one millisecond they are stored as they came", arguments: sample)
    func verbatim(event: String) {
        #expect(scan(event, resolution: .oneMillisecond).stored?.text == event)
        #expect(scan(event).stored == ReferenceParser.stored(Array(event.utf8), resolution: .tenMinutes))
    }

    @Test(
        "8,000 real log events are stored as they came",
        .enabled(if: realEvents != nil, "../shared/data/real-events.ndjson.gz is not here"))
    func realLogEvents() throws {
        let body = try #require(realEvents)
        var count = 0
        body.withUnsafeBytes { bytes in
            for line in NDJSONLines(bytes) {
                count += 1
                let stored = scan(line.line, resolution: .oneMillisecond)
                #expect(stored.stored?.line.elementsEqual(line.line) == true, "line \(line.number): \(stored)")
            }
        }
        #expect(count == 8_000)
    }
}

/// The real events beside the checkout, unpacked; `nil` where they are absent.
private let realEvents: [UInt8]? = {
    guard let here = realpath(#filePath, nil) else { return nil }
    defer { free(here) }
    let root = String(cString: here).split(separator: "/").dropLast(4).map { "/" + $0 }.joined()
    let path = root + "/shared/data/real-events.ndjson.gz"
    guard access(path, R_OK) == 0, let pipe = popen("gzip -dc '\(path)'", "r") else { return nil }
    defer { pclose(pipe) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 20)
    while case let count = fread(&chunk, 1, chunk.count, pipe), count > 0 { bytes += chunk[..<count] }
    return bytes.isEmpty ? nil : bytes
}()
