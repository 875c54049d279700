import LogEngine
import SegmentFormat
import Synchronization
import TestSupport
import Testing

@testable import WebAPI

@Suite("reads and refusals are recorded (AC13–AC15)")
struct AccessAuditTests {
    private static let path = "/wsapi/interaction_data"
    private static let now: UInt64 = 1_795_000_123_456
    private static let bucket = now / 600_000 * 600_000

    private static let reader = Token(
        id: "00000001", name: "reader", hash: TokenHash(ofToken: "reader"), scopes: [.read])

    private static func lines(_ disk: VirtualDisk) throws -> [String] {
        var options = LogOptions()
        options.stream = .audit
        let snapshot = try StoreReader.snapshot(
            of: "/data", options: options, environment: TestEnvironment().on(disk)
        ).snapshot
        var lines: [String] = []
        let scan = try Scan(snapshot, ScanRequest(order: .arrival))
        while let chunk = try scan.next() {
            chunk.forEachLine { line, _ in lines.append(String(decoding: line, as: UTF8.self)) }
        }
        return lines
    }

    /// Serves with tokens, and records.
    private static func withAudit(
        on disk: VirtualDisk, tokens: [Token] = [reader], talk: Talk = Talk(),
        _ body: (TestServer, AccessAudit) async throws -> Void
    ) async throws {
        var made: AccessAudit?
        func configure(_ options: inout Server.Options, _ log: EventLog, _ counters: Counters) {
            options.audit = AccessAudit(
                log, stream: .interactions, counters: counters, now: { now }, say: talk.say)
            made = options.audit
            options.access.tokens = TokenBook(configured: tokens)
        }
        try await TestServer.run(on: disk, at: "/data", configured: configure) { server in
            try await body(server, try #require(made))
        }
    }

    /// What was said.
    private final class Talk: Sendable {
        private let said = Mutex<[String]>([])
        var lines: [String] { said.withLock { $0 } }
        func say(_ line: String) { said.withLock { $0.append(line) } }
    }

    private static func read(_ server: TestServer, _ target: String, _ method: String = "GET") async throws -> Reply {
        try await server.ask(TestRequest(method, path + target, [("authorization", "Bearer reader")]))
    }

    private static func line(_ rest: String) -> String {
        #"{"timestamp":\#(bucket),"type":"read","stream":"interactions","who":"token:reader","# + rest + "}"
    }

    @Test("who read what range, and how many events it gave")
    func reads() async throws {
        let disk = VirtualDisk()
        try await Self.withAudit(on: disk) { server, audit in
            try await server.append(5, bytes: 10)
            let first = Bucket.ofTest(0).milliseconds
            #expect(try await Self.read(server, "?start=\(first + 5)&end=\(first + 7)").status == 200)
            #expect(try await Self.read(server, "?start=\(first)").status == 200)
            #expect(try await Self.read(server, "?start=\(first + 9)").status == 200)
            #expect(try await Self.read(server, "/count?end=\(first)").text == "5")
            #expect(try await Self.read(server, "/last").status == 200)
            #expect(try await Self.read(server, "/last", "HEAD").status == 200)
            await audit.flush()
            let from = #""from":\#(first),"to":"#
            #expect(
                try Self.lines(disk) == [
                    Self.line(#""what":"count","from":null,"to":\#(first),"subject":null,"times":1,"events":5"#),
                    Self.line(#""what":"events",\#(from)\#(first),"subject":null,"times":1,"events":0"#),
                    Self.line(#""what":"events",\#(from)null,"subject":null,"times":2,"events":5"#),
                    Self.line(#""what":"last","from":null,"to":null,"subject":null,"times":2,"events":2"#),
                ])
        }
    }

    @Test("an event that was asked for by its id is recorded as a keyed hash")
    func subjects() async throws {
        let disk = VirtualDisk()
        try await Self.withAudit(on: disk) { server, audit in
            try await server.append(1, bytes: 10)
            let id = EventID(store: server.log.store, sequence: .first).description
            #expect(try await Self.read(server, "?id=\(id)").status == 200)
            #expect(try await Self.read(server, "?id=nothing").status == 404)
            await audit.flush()
            let lines = try Self.lines(disk)
            let hash = KeyedHash.of("audit\n\(id)", secret: server.log.deliverySecret).hex
            #expect(lines.count == 2 && lines.allSatisfy { !$0.contains(id) && !$0.contains("nothing") })
            #expect(
                lines.contains(
                    Self.line(#""what":"event","from":null,"to":null,"subject":"\#(hash)","times":1,"events":1"#)))
        }
    }

    @Test("those who follow are recorded when they begin, and what they were given when they end")
    func followers() async throws {
        let disk = VirtualDisk()
        try await Self.withAudit(on: disk) { server, audit in
            try await server.append(3, bytes: 10)
            let port = server.port
            try await Blocking.run {
                let connection = try RawConnection(port)
                try connection.send(
                    TestRequest("GET", "\(Self.path)/stream?since=0", [("authorization", "Bearer reader")]).bytes)
                _ = try connection.readHead()
                while try !connection.readLine().contains(#""seq":3"#) {}
            }
            await audit.flush()
            #expect(
                try Self.lines(disk) == [
                    Self.line(#""what":"changes","from":null,"to":null,"subject":null,"times":1,"events":0"#)
                ])
            await server.shutDown()
        }
        // The server has ended; what it gave is told by the last flush, which `TestServer` leaves to its caller.
    }

    @Test("refusals are added up by who and why, and say nothing of where they came from")
    func refusals() async throws {
        let disk = VirtualDisk()
        try await Self.withAudit(on: disk) { server, audit in
            for _ in 0..<3 { #expect(try await server.get(Self.path).status == 401) }
            let posted = try await server.post("x", [("authorization", "Bearer reader")])
            #expect(posted.status == 403)
            #expect(try await server.get("/wsapi/%00").status == 400)
            #expect(try await server.get("/livez").status == 200)
            await audit.flush()
            let head = #"{"timestamp":\#(Self.bucket),"type":"refusal","stream":"interactions","who":"#
            let told = [
                head + #""token:reader","reason":"missing_scope","times":1}"#,
                head + #"null,"reason":"no_token","times":3}"#,
            ]
            #expect(try Self.lines(disk) == told)
            for _ in 0..<5 { #expect(try await server.get(Self.path).status == 401) }
            await audit.flush()
            #expect(try Self.lines(disk) == told, "the first of a kind was told; the rest waits")
            await audit.flush(all: true)
            #expect(try Self.lines(disk) == told + [head + #"null,"reason":"no_token","times":5}"#])
        }
    }

    @Test("where nothing is asked of anybody, reads are recorded too, and posts are not")
    func open() async throws {
        let disk = VirtualDisk()
        try await Self.withAudit(on: disk, tokens: []) { server, audit in
            #expect(try await server.post(#"{"timestamp":1361407200000}"#).status == 201)
            #expect(try await server.get("\(Self.path)/count").text == "1")
            await audit.flush()
            let lines = try Self.lines(disk)
            #expect(lines.count == 1 && lines[0].contains(#""who":null,"what":"count""#))
        }
    }

    @Test("a disk that takes no record keeps no read from being answered, is told once, and the record comes later")
    func failure() async throws {
        let disk = VirtualDisk()
        let talk = Talk()
        try await Self.withAudit(on: disk, talk: talk) { server, audit in
            let before = try await Self.read(server, "/count")
            #expect(before.text == "0")
            let free = disk.freeBytes
            disk.freeBytes = 0
            await audit.flush()
            await audit.flush()
            #expect(server.counters.auditFailures == 2 && server.counters.lostRecords == 0)
            #expect(talk.lines.count == 1)
            #expect(try await Self.read(server, "/count").text == "0")
            disk.freeBytes = free
            await audit.flush()
            #expect(try Self.lines(disk).count == 1)
            #expect(try Self.lines(disk)[0].contains(#""times":2"#))
            #expect(talk.lines.last == "accesses are recorded again")
            #expect(server.counters.auditFailures == 2)
        }
    }

    @Test("names are JSON, whatever is in them")
    func escaping() {
        let access = AuditedAccess(kind: .refusal("not_allowed"), who: "cn:a\"\\\u{1}é")
        #expect(
            AuditRecord(access: access, bucket: 1, times: 2, events: 0).line(stream: "interactions")
                == #"{"timestamp":1,"type":"refusal","stream":"interactions","who":"cn:a\"\\\u0001é","reason":"not_allowed","times":2}"#
        )
    }
}
