import LogEngine
import SegmentFormat
import TestSupport
import Testing

@testable import WebAPI

@Suite("a purge while an answer is read")
struct PurgeDuringReadTests {
    private static let target = "/wsapi/interaction_data"
    private static let day: UInt64 = 86_400_000
    private static let old = Bucket(milliseconds: 1_795_000_200_000 - 10 * day)
    private static let young = Bucket(milliseconds: 1_795_000_200_000 - 2 * day)

    /// The reply to a request whose client reads on only after the purge. Its body is more than a scan
    /// and the sockets hold.
    private static func reply(to query: String, of bucket: Bucket) async throws -> Reply {
        var found: Reply?
        try await TestServer.run(on: VirtualDisk(), at: "/data") { server in
            try await server.append(1, bytes: 10, bucket: old)
            if bucket == old { try await server.append(48, bytes: 1_000_000, bucket: old) }
            try await server.log.seal()
            try await server.append(1, bytes: 10, bucket: young)
            if bucket == young { try await server.append(48, bytes: 1_000_000, bucket: young) }
            let port = server.port
            let connection = try await Blocking.run {
                let connection = try RawConnection(port, receiveBytes: 4_096)
                try connection.send(
                    TestRequest("GET", "\(target)?\(query)", [("accept", "application/x-ndjson")]).bytes)
                return connection
            }
            let head = try await Blocking.run { try connection.readHead() }
            var options = PurgeOptions()
            options.policy = RetentionPolicy(maxAgeMilliseconds: 5 * day)
            options.readerGrace = 0
            #expect(try await server.log.purge(options).plan.segments.count == 1)
            found = try await Blocking.run { try connection.readBody(of: head) }
        }
        return try #require(found)
    }

    @Test("an answer that had still to give what went ends, and says that it is not complete")
    func incomplete() async throws {
        let reply = try await Self.reply(to: "end=line", of: Self.old)
        #expect(reply.trailer["daybook-complete"] == "false" && reply.lines.count < 50)
        #expect(reply.lines.last?.hasSuffix(#""complete":false}}"#) == true)
    }

    @Test("an answer that wants nothing of what went is whole")
    func complete() async throws {
        let reply = try await Self.reply(to: "start=\(Self.young.milliseconds)", of: Self.young)
        #expect(reply.trailer["daybook-complete"] == "true")
        #expect(reply.lines.count == 49 && reply.trailer["daybook-count"] == "49")
        #expect(reply.trailer["daybook-xxh3"] == digest(reply.body))
    }

    @Test(
        "pages that were told when files went end as they would have, with a cursor where something follows",
        arguments: [EventForm.lines, .codedLines, .frames], [2, 3])
    func toldBefore(form: EventForm, limit: Int) async throws {
        try await TestServer.run(on: VirtualDisk(), at: "/data") { server in
            try await server.append(1, bytes: 10, bucket: Self.old)
            try await server.log.seal()
            try await server.append(3, bytes: 10, bucket: Self.young)
            let log = server.log
            let request = ScanRequest(
                range: Self.young.milliseconds...UInt64.max, order: form == .frames ? .arrival : .time, limit: limit)
            let pieces = try EventPieces(log.snapshot(), request, form: form, places: ScanPlaces()) { log.snapshot() }
            #expect(try pieces.next() != nil)
            var options = PurgeOptions()
            options.policy = RetentionPolicy(maxAgeMilliseconds: 5 * Self.day)
            options.readerGrace = 0
            #expect(try await log.purge(options).plan.segments.count == 1)
            #expect(try pieces.next() == nil)
            #expect(pieces.count == limit && pieces.isComplete)
            #expect((pieces.cursor != nil) == (limit == 2))
            if let cursor = pieces.cursor {
                var next = request
                (next.limit, next.cursor) = (nil, cursor)
                #expect(try Scan(log.snapshot(), next).next()?.lines == 1)
            }
        }
    }
}
