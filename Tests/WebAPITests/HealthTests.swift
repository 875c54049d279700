import LogEngine
import TestSupport
import Testing

@testable import WebAPI

@Suite("health")
struct HealthTests {
    private static let event = #"{"timestamp":1361407200000}"# + "\n"

    private static func expectNotReady(_ server: TestServer, _ reasons: [String]) async throws {
        let reply = try await server.get("/readyz")
        #expect(reply.status == 503)
        #expect(reply.fields["content-type"] == "application/problem+json")
        let list = reasons.map { #""\#($0)""# }.joined(separator: ",")
        #expect(reply.text.contains(#""reason":"\#(reasons[0])""#), "\(reply.text)")
        #expect(reply.text.contains(#""reasons":[\#(list)]"#), "\(reply.text)")
        #expect(try await server.get("/livez").text == "ok")
    }

    @Test("a disk with less free than appends leave is not ready, and is again with more")
    func space() async throws {
        let disk = VirtualDisk()
        try await TestServer.run(on: disk, at: "/data") { server in
            #expect(try await server.get("/readyz").text == "ok")
            let least = server.log.health.leastFreeBytes
            #expect(least == 16 << 20)
            disk.freeBytes = least - 1
            try await Self.expectNotReady(server, ["no_space"])
            #expect(try await server.post(Self.event).status == 507)
            disk.freeBytes = 1 << 30
            #expect(try await server.get("/readyz").text == "ok")
        }
    }

    @Test("all that is wrong is told, the failed sync first")
    func several() async throws {
        let disk = VirtualDisk()
        try await TestServer.run(on: disk, at: "/data") { server in
            disk.fail(.sync, at: disk.calls(of: .sync) + 1, with: .inputOutput)
            #expect(try await server.post(Self.event).status == 500)
            disk.freeBytes = 0
            try await Self.expectNotReady(server, ["disk", "no_space"])
        }
    }

    @Test("a commit that the disk does not answer is told after 30 s, and no longer once it does")
    func stalled() async throws {
        let disk = HeldDisk()
        try await TestServer.run(on: disk, at: "/data") { server in
            disk.hold()
            async let posted = server.post(Self.event)
            await disk.untilHeld()
            server.clock.advance(by: 30_000)
            #expect(try await server.get("/readyz").text == "ok")
            server.clock.advance(by: 1)
            try await Self.expectNotReady(server, ["stalled"])
            disk.release()
            #expect(try await posted.status == 201)
            while server.log.health.committerNanoseconds > 0 { await Task.yield() }
            #expect(try await server.get("/readyz").text == "ok")
        }
    }

    @Test("LOCK removed or replaced is told", arguments: [false, true])
    func lock(isReplaced: Bool) async throws {
        let directory = try TemporaryDirectory()
        let disk = PosixDisk()
        try await TestServer.run(on: disk, at: directory.path) { server in
            #expect(try await server.get("/readyz").text == "ok")
            let lock = "\(directory.path)/interactions/LOCK"
            try disk.remove(lock)
            if isReplaced { try disk.open(lock, .create).close() }
            try await Self.expectNotReady(server, ["lock_lost"])
        }
    }

    @Test("/version says what is running")
    func version() async throws {
        try await TestServer.run { server in
            let reply = try await server.get("/version")
            #expect(reply.status == 200 && reply.fields["content-type"] == "application/json")
            #expect(reply.text == #"{"version":"\#(Build.version)","format":1}"# + "\n")
        }
    }

    @Test("a listener serves what its role does", arguments: Role.allCases)
    func roles(role: Role) async throws {
        try await TestServer.run(serving: .loopback(role: role)) { server in
            for path in ["/livez", "/readyz", "/version", "/metrics"] {
                let reply = try await server.get(path)
                #expect(reply.status == 200, "\(path)")
            }
            let servesEvents = role == .interactions
            let isDescribed = servesEvents || role == .userMetadata
            #expect(try await server.get("/openapi.json").status == (isDescribed ? 200 : 404))
            let others = ["/wsapi/ping", "/wsapi/interaction_data", "/wsapi/interaction_data/count"]
            for path in others {
                let reply = try await server.get(path)
                #expect(reply.status == (servesEvents ? 200 : 404), "\(path)")
            }
            let posted = try await server.post(Self.event)
            #expect(posted.status == (servesEvents ? 201 : 404))
            #expect(server.counters.accepted == (servesEvents ? 1 : 0))
        }
    }
}
