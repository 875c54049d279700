import Testing

@testable import WebAPI

@Suite("refused lines are counted, all of them (O4)")
struct RefusedLinesTests {
    private static let event = #"{"timestamp":1361407200000}"#

    /// Each goes once as it is and once with a field that keeps it off the short ways.
    @Test(
        "whether or not the last one ends",
        arguments: [
            ("nonsense", 1), ("nonsense\n", 1), (event + "\nnonsense", 2), (event + "\n" + event + "\n[]\n", 3),
        ])
    func lines(body: String, lines: Int) async throws {
        try await TestServer.run { server in
            for fields in [[], [("transfer-encoding", "chunked")]] as [[(String, String)]] {
                var request = TestRequest.events(body, fields)
                if !fields.isEmpty { (request.body, request.chunks) = (nil, body) }
                let reply = try await server.ask(request)
                #expect(reply.status == 400)
            }
            let refused = server.counters.refused.values
            #expect(refused.map(\.requests).reduce(0, +) == 2)
            #expect(refused.map(\.events).reduce(0, +) == 2 * lines)
        }
    }
}
