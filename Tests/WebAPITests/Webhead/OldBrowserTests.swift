import TestSupport
import Testing

@testable import WebAPI

/// What dialogs of 2012 and 2013 sent, in `Fixtures/browsers`: header fields and data; beside each the lines that are
/// stored of it.
@Suite("Browsers of old")
struct OldBrowserTests {
    @Test(
        "what they send is stored as it came, days late and as often as it comes",
        arguments: ["2012-one-blob", "2013-newest-first", "2013-nested-lists"])
    func replay(name: String) async throws {
        let fixtures = #filePath.split(separator: "/").dropLast(4).reduce("") { "\($0)/\($1)" } + "/Fixtures/browsers"
        let request = String(decoding: try #require(WholeFile.read("\(fixtures)/\(name).http")), as: UTF8.self)
        let stored = String(decoding: try #require(WholeFile.read("\(fixtures)/\(name).ndjson")), as: UTF8.self)
        let parts = try #require(request.firstRange(of: "\n\n"))
        let fields = request[..<parts.lowerBound].split(separator: "\n").map { line in
            let pair = line.split(separator: ": ", maxSplits: 1).map(String.init)
            return (pair[0].lowercased(), pair[1])
        }
        let lines = stored.split(separator: "\n").map(String.init)
        try await TestWebhead.run { webhead in
            let jar = try await webhead.session()
            for _ in 0..<2 {
                let reply = try await webhead.post(String(request[parts.upperBound...]), jar, fields)
                #expect(reply.status == 200 && reply.text == #"{"success":true}"# + "\n")
            }
            #expect(try webhead.lines == lines + lines)
        }
    }
}
