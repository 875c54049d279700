import LogEngine
import SegmentFormat
import TestSupport
import Testing

@testable import WebAPI

/// A store whose oldest segment was purged.
@Suite("after a purge")
struct PurgedTests {
    private static let target = "/wsapi/interaction_data"
    private static let horizon = Bucket(milliseconds: 1_361_408_400_000)
    private static let purged = #"{"timestamp":1361407200000}"#
    private static let kept = #"{"timestamp":1361408400000}"#

    /// Two events that are purged, sequences 1 and 2, and one that is kept.
    private static func serve(
        before: (TestServer) async throws -> Void, after: (TestServer) async throws -> Void
    ) async throws {
        let disk = VirtualDisk()
        try await TestServer.run(on: disk, at: "/data") { server in
            _ = try await server.post(purged + "\n" + purged)
            try await server.log.seal()
            _ = try await server.post(kept)
            try await before(server)
        }
        try purge(disk)
        try await TestServer.run(on: disk, at: "/data", after)
    }

    private static func serve(_ after: (TestServer) async throws -> Void) async throws {
        try await serve(before: { _ in }, after: after)
    }

    private static func purge(_ disk: VirtualDisk) throws {
        for path in disk.paths where path.contains("/MANIFEST.") {
            let bytes = try #require(disk.contents(path))
            var manifest = try bytes.withUnsafeBytes { try Manifest.decode($0) }
            manifest.horizon = horizon
            manifest.segments.removeFirst()
            disk.replace(path, manifest.encoded())
        }
        let oldest = try #require(disk.paths.first { $0.hasSuffix(".ndjson.lz4") })
        try disk.remove(oldest)
    }

    @Test("changes behind a purged event are gone, those behind a kept one are not", arguments: [0, 1, 2, 3])
    func since(since: Int) async throws {
        try await Self.serve { server in
            let (port, isGone) = (server.port, since < 2)
            let request = TestRequest("GET", "\(Self.target)/stream?since=\(since)")
            try await Blocking.run {
                let connection = try RawConnection(port)
                try connection.send(request.bytes)
                let head = try connection.readHead()
                #expect(head.status == (isGone ? 410 : 200))
                if isGone { #expect(try connection.readBody(of: head).text.contains(#""reason":"purged""#)) }
                if since == 2 { #expect(try connection.readChunk().starts(with: Array(#"{"seq":3,"#.utf8))) }
            }
        }
    }

    @Test("a cursor that still had purged events before it is gone, and told where to go on")
    func cursor() async throws {
        var next: String?
        try await Self.serve(
            before: { server in
                next = try await server.get("\(Self.target)?limit=1").next
            },
            after: { server in
                let reply = try await server.get(try #require(next))
                #expect(reply.status == 410 && reply.fields["content-type"] == "application/problem+json")
                let cursor = try #require(reply.text.firstMatch(of: /"cursor":"([^"]+)"/)?.1)
                let rest = try await server.get("\(Self.target)?cursor=\(cursor)", accept: "application/x-ndjson")
                #expect(rest.lines == [Self.kept])
            })
    }

    @Test("what is left is counted and read, and the last event is among it")
    func reads() async throws {
        try await Self.serve { server in
            let count = try await server.get("\(Self.target)/count")
            #expect(count.text == "1")
            #expect(try await server.get(Self.target, accept: "application/x-ndjson").lines == [Self.kept])
            #expect(try await server.get("\(Self.target)/last").text.contains(#""key":1361408400000,"#))
            let id = EventID(store: server.log.store, sequence: .first)
            #expect(try await server.get("\(Self.target)?id=\(id)").status == 404)
        }
    }

    @Test("events before the horizon are discarded: lines are told so, a form is told ok")
    func discarded() async throws {
        try await Self.serve { server in
            let reply = try await server.post("\(Self.purged)\n\(Self.kept)\n\(Self.purged)")
            #expect(reply.status == 201 && reply.text.hasPrefix(#"{"accepted":1,"discarded":2,"first_id":""#))
            let form = try await server.post(
                "data=\(Self.purged)", [("content-type", "application/x-www-form-urlencoded")])
            #expect(form.status == 201 && form.text == "ok")
            #expect(server.counters.accepted == 1 && server.counters.discarded == 3)
            #expect(try await server.get("\(Self.target)/count").text == "2")
        }
    }
}
