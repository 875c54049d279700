import LogEngine
import NIOCore
import SegmentFormat
import TestSupport
import Testing

@testable import WebAPI

/// What a client sees does not depend on who answers it.
@Suite("small POSTs over HTTP")
struct SmallPostServerTests {
    private static func event(_ number: Int) -> String { #"{"timestamp":1361407200000,"n":\#(number)}"# + "\n" }

    /// How a POST is answered.
    private enum Way {
        /// Ahead of the parser, where it may be.
        case plain
        /// On the event loop.
        case small
        /// By Hummingbird.
        case chunked
    }

    private static func post(_ body: String, _ fields: [(String, String)] = [], way: Way = .plain) -> [UInt8] {
        guard way != .chunked else { return chunked(body, fields) }
        let type = [("content-type", "application/x-ndjson;")]
        return TestRequest.events(body, way == .small ? type + fields : fields).bytes
    }

    private static func chunked(_ body: String, _ fields: [(String, String)]) -> [UInt8] {
        var request = TestRequest.events("", fields + [("transfer-encoding", "chunked")])
        request.body = nil
        let chunk = body.isEmpty ? "" : "\(String(body.utf8.count, radix: 16))\r\n\(body)\r\n"
        return request.bytes + Array((chunk + "0\r\n\r\n").utf8)
    }

    /// An answer as it is, without its date.
    private static func readText(_ connection: RawConnection) throws -> String {
        var (text, length) = ("", 0)
        while case let line = try connection.readLine(), !line.isEmpty {
            if line.lowercased().hasPrefix("content-length: ") { length = Int(line.dropFirst(16)) ?? 0 }
            let isItsOwn = ["date: ", "x-request-id: "].contains { line.lowercased().hasPrefix($0) }
            if !isItsOwn { text += line + "\n" }
        }
        return text + "\n" + String(decoding: try connection.readBytes(length), as: UTF8.self)
    }

    /// What came of each of a list of bodies, of a full and of a broken disk, and the counters at the end.
    private static func transcript(_ way: Way) async throws -> [String] {
        let disk = VirtualDisk()
        var replies: [String] = []
        try await TestServer.run(on: disk, at: "/data") { server in
            func tell(_ body: String, _ fields: [(String, String)] = []) async throws {
                let connection = try RawConnection(server.port)
                try await Blocking.run { try connection.send(Self.post(body, fields, way: way)) }
                replies.append(try await Blocking.run { try Self.readText(connection) })
            }
            try await tell(event(1) + "\r\n" + event(2))
            for body in ["", "\n \r\n", "{}", "[]\n", event(3) + "{\"timestamp\":01}\n", "\u{FEFF}{}", "nonsense"] {
                try await tell(body)
            }
            for (body, key) in [(event(4), "a"), (event(4), "a"), (event(5), "a"), (event(6), "caf\u{E9}"), ("", "b")] {
                try await tell(body, [("idempotency-key", key)])
            }
            disk.freeBytes = 0
            try await tell(event(7) + event(8))
            disk.freeBytes = 1 << 30
            try await tell(event(9))
            disk.fail(.sync, at: disk.calls(of: .sync) + 1, with: .inputOutput)
            try await tell(event(10))
            try await tell(event(11))
            let counters = server.counters
            replies.append("\(counters.accepted) \(counters.repeats)")
            replies += counters.refused.map { "\($0.key) \($0.value)" }.sorted()
        }
        return replies
    }

    @Test("every answer is the same on all ways, byte for byte, and so is what is counted")
    func sameAnswers() async throws {
        let direct = try await Self.transcript(.plain)
        for way in [Way.small, .chunked] {
            let others = try await Self.transcript(way)
            for (a, b) in zip(direct, others) { #expect(a == b) }
            #expect(direct.count == others.count)
        }
        let statuses = direct.prefix(17).map { $0.prefix(12).suffix(3) }
        #expect(
            statuses == [
                "201", "201", "201", "400", "400", "400", "400", "400", "201", "201", "422", "400", "201", "507",
                "201", "500", "503",
            ])
    }

    /// A request, and how to know its answer from those of the others.
    private struct Pipelined: Sendable {
        var bytes: [UInt8]
        var status: Int
        var isHead = false
        /// What the text of the answer begins with, or the `Allow` of one without.
        var text = ""
        /// As lines, whose receipt names the event, or in a form.
        var stores: Bool { status == 201 }

        static func any(_ number: Int, _ random: inout SeededRandom) -> Pipelined {
            let events = "/wsapi/interaction_data"
            let form = [("content-type", "application/x-www-form-urlencoded")]
            switch random.next() % 11 {
            case 0, 1, 2:
                return Pipelined(bytes: post(event(number)), status: 201, text: #"{"accepted":1,"#)
            case 3:
                return Pipelined(bytes: post(event(number), way: .chunked), status: 201, text: #"{"accepted":1,"#)
            case 4: return Pipelined(bytes: post("nonsense\n"), status: 400, text: #"{"type":"#)
            case 5: return Pipelined(bytes: post("data=" + event(number), form), status: 201, text: "ok")
            case 6: return Pipelined(bytes: post("date=1", form), status: 400, text: "Malformed")
            case 7: return Pipelined(bytes: TestRequest("HEAD", "/wsapi/ping").bytes, status: 200, isHead: true)
            case 8: return Pipelined(bytes: TestRequest("HEAD", events).bytes, status: 200, isHead: true)
            case 9:
                return Pipelined(
                    bytes: TestRequest("OPTIONS", events).bytes, status: 204, text: "GET, HEAD, OPTIONS, POST")
            default: return Pipelined(bytes: TestRequest("GET", "/wsapi/ping").bytes, status: 200, text: "pong")
            }
        }
    }

    @Test("requests of all kinds are answered in their order, however the bytes come", arguments: 0..<12)
    func pipelined(seed: UInt64) async throws {
        try await TestServer.run { server in
            var random = SeededRandom(seed: seed)
            let requests = (0..<80).map { Pipelined.any($0, &random) }
            let sent = Self.pieces(of: requests.flatMap(\.bytes), &random)
            let connection = try RawConnection(server.port)
            async let sending: Void = Blocking.run { for piece in sent { try connection.send(piece) } }
            var stored = 0
            for (number, request) in requests.enumerated() {
                let reply = try await Blocking.run { try connection.readReply(toHead: request.isHead) }
                let place: Comment = "seed \(seed), request \(number)"
                #expect(reply.status == request.status, place)
                #expect((reply.fields["allow"] ?? reply.text).hasPrefix(request.text), place)
                guard request.stores else { continue }
                stored += 1
                guard request.text != "ok" else { continue }
                let id = EventID(store: server.log.store, sequence: Sequence(UInt64(stored)))
                #expect(reply.text.contains(#""first_id":"\#(id)""#), place)
            }
            try await sending
            #expect(server.log.snapshot().lastSequence == Sequence(UInt64(stored)))
        }
    }

    private static func pieces(of bytes: [UInt8], _ random: inout SeededRandom) -> [[UInt8]] {
        var (pieces, rest) = ([[UInt8]](), bytes[...])
        while !rest.isEmpty {
            let count = Int(random.next() % 2_000) + 1
            pieces.append(Array(rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        return pieces
    }

    @Test("a shutdown waits for a POST that is being stored", arguments: [Way.plain, .small])
    private func shutdown(way: Way) async throws {
        let disk = HeldDisk()
        try await TestServer.run(on: disk, at: "/data") { server in
            let (poster, bystander) = (try RawConnection(server.port), try RawConnection(server.port))
            disk.hold()
            try poster.send(Self.post(Self.event(1), way: way))
            await disk.untilHeld()
            await server.shutDown()
            #expect(try await Blocking.run { try bystander.isAtEnd() })
            disk.release()
            #expect(try await Blocking.run { try poster.readReply().status } == 201)
            #expect(try await Blocking.run { try poster.isAtEnd() })
            #expect(server.log.snapshot().lastSequence == Sequence(1))
        }
    }

    @Test("a client that says that it will send no more still gets its answer", arguments: [Way.plain, .small])
    private func halfClosed(way: Way) async throws {
        let disk = HeldDisk()
        try await TestServer.run(on: disk, at: "/data") { server in
            let connection = try RawConnection(server.port)
            disk.hold()
            try connection.send(Self.post(Self.event(1), way: way))
            await disk.untilHeld()
            connection.finish()
            // Every loop turns a few times, so the end of the client's side has been seen.
            for _ in 0..<4 * System.coreCount { _ = try await server.get("/wsapi/ping") }
            disk.release()
            #expect(try await Blocking.run { try connection.readReply().status } == 201)
            #expect(try await Blocking.run { try connection.isAtEnd() })
        }
    }

    @Test("a client that leaves takes nobody with it, and its events are stored")
    func clientLeaves() async throws {
        let disk = HeldDisk()
        try await TestServer.run(on: disk, at: "/data") { server in
            disk.hold()
            do {
                let connection = try RawConnection(server.port)
                try connection.send(Self.post(Self.event(1)))
                await disk.untilHeld()
            }
            disk.release()
            #expect(try await server.post(Self.event(2)).status == 201)
            while server.counters.accepted < 2 { await Task.yield() }
            #expect(server.log.snapshot().lastSequence == Sequence(2))
            #expect(server.log.health.bytesInFlight == 0)
        }
    }
}
