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

    /// A POST that is answered on the event loop, or the same one as only Hummingbird takes it.
    private static func post(_ body: String, _ fields: [(String, String)] = [], chunked: Bool = false) -> [UInt8] {
        guard chunked else { return TestRequest.events(body, fields).bytes }
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
            if !line.lowercased().hasPrefix("date: ") { text += line + "\n" }
        }
        return text + "\n" + String(decoding: try connection.readBytes(length), as: UTF8.self)
    }

    /// What came of each of a list of bodies, of a full and of a broken disk, and the counters at the end.
    private static func transcript(chunked: Bool) async throws -> [String] {
        let disk = VirtualDisk()
        var replies: [String] = []
        try await TestServer.run(on: disk, at: "/data") { server in
            let connection = try RawConnection(server.port)
            func tell(_ body: String, _ fields: [(String, String)] = []) async throws {
                try await Blocking.run { try connection.send(Self.post(body, fields, chunked: chunked)) }
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

    @Test("every answer is the same on both ways, byte for byte, and so is what is counted")
    func sameAnswers() async throws {
        let direct = try await Self.transcript(chunked: false)
        let others = try await Self.transcript(chunked: true)
        for (a, b) in zip(direct, others) { #expect(a == b) }
        #expect(direct.count == others.count)
        let statuses = direct.prefix(17).map { $0.prefix(12).suffix(3) }
        #expect(
            statuses == [
                "201", "201", "201", "400", "400", "400", "400", "400", "201", "201", "422", "400", "201", "507",
                "201", "500", "503",
            ])
    }

    @Test("requests of all kinds are answered in their order, however the bytes come", arguments: 0..<8)
    func pipelined(seed: UInt64) async throws {
        try await TestServer.run { server in
            var random = SeededRandom(seed: seed)
            var (bytes, statuses, stored) = ([UInt8](), [Int](), 0)
            for number in 0..<60 {
                switch random.next() % 6 {
                case 0, 1, 2:
                    bytes += Self.post(Self.event(number))
                    statuses.append(201)
                case 3:
                    bytes += Self.post(Self.event(number), chunked: true)
                    statuses.append(201)
                case 4:
                    bytes += Self.post("nonsense\n")
                    statuses.append(400)
                default:
                    bytes += TestRequest("GET", "/wsapi/ping").bytes
                    statuses.append(200)
                }
            }
            let connection = try RawConnection(server.port)
            var pieces: [ArraySlice<UInt8>] = []
            while !bytes.isEmpty {
                let count = min(Int(random.next() % 2_000) + 1, bytes.count)
                pieces.append(bytes[..<count])
                bytes.removeFirst(count)
            }
            let sent = pieces
            async let sending: Void = Blocking.run { for piece in sent { try connection.send(Array(piece)) } }
            for (number, status) in statuses.enumerated() {
                let reply = try await Blocking.run { try connection.readReply() }
                #expect(reply.status == status, "seed \(seed), request \(number)")
                guard status == 201 else { continue }
                stored += 1
                let id = EventID(store: server.log.store, sequence: Sequence(UInt64(stored)))
                #expect(reply.text.contains(#""first_id":"\#(id)""#), "seed \(seed), request \(number)")
            }
            try await sending
        }
    }

    @Test("a shutdown waits for a POST that is being stored")
    func shutdown() async throws {
        let disk = HeldDisk()
        try await TestServer.run(on: disk, at: "/data") { server in
            let (poster, bystander) = (try RawConnection(server.port), try RawConnection(server.port))
            disk.hold()
            try poster.send(Self.post(Self.event(1)))
            await disk.untilHeld()
            await server.shutDown()
            #expect(try await Blocking.run { try bystander.isAtEnd() })
            disk.release()
            #expect(try await Blocking.run { try poster.readReply().status } == 201)
            #expect(try await Blocking.run { try poster.isAtEnd() })
            #expect(server.log.snapshot().lastSequence == Sequence(1))
        }
    }

    @Test("a client that says that it will send no more still gets its answer")
    func halfClosed() async throws {
        let disk = HeldDisk()
        try await TestServer.run(on: disk, at: "/data") { server in
            let connection = try RawConnection(server.port)
            disk.hold()
            try connection.send(Self.post(Self.event(1)))
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
