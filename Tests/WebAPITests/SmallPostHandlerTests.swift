import LogEngine
import NIOCore
import NIOHTTPTypes
import Testing

@testable import WebAPI

@Suite("SmallPostHandler")
struct SmallPostHandlerTests {
    private static let event = #"{"timestamp":1361407200000}"# + "\n"
    private static let head = HTTPRequestPart.post(event.utf8.count)
    private static let body = HTTPRequestPart.body(ByteBuffer(string: event))

    @Test("a POST that is here whole is answered, and Hummingbird hears nothing of it")
    func whole() async throws {
        try await SmallPostBench.run { bench in
            let (front, back) = (Self.event.prefix(9), Self.event.dropFirst(9))
            try await bench.receive(
                Self.head, .body(ByteBuffer(substring: front)), .body(ByteBuffer(substring: back)), .end(nil))
            #expect(try await bench.nextStatus() == 201)
            #expect(bench.passed.isEmpty)
            #expect(bench.counters.accepted == 1)
            #expect(bench.log.health.bytesInFlight == 0)
        }
    }

    @Test("one that is not, passes at the end of the read, and the rest after it")
    func partial() async throws {
        try await SmallPostBench.run { bench in
            try await bench.receive(Self.head, .body(ByteBuffer(string: "{")))
            #expect(bench.passed == ["POST /wsapi/interaction_data", "{"])
            try await bench.receive(.body(ByteBuffer(string: "}")), .end(nil))
            #expect(bench.passed == ["POST /wsapi/interaction_data", "{", "}", "end"])
        }
    }

    @Test("an error in the middle of one comes behind what was there of it")
    func broken() async throws {
        try await SmallPostBench.run { bench in
            try await bench.onLoop { pipeline in
                pipeline.fireChannelRead(NIOAny(Self.head))
                pipeline.fireErrorCaught(ConnectionEnded())
            }
            #expect(bench.passed == ["POST /wsapi/interaction_data", "error"])
        }
    }

    @Test("whatever comes while one is stored comes after its answer, in order, and is bounded")
    func held() async throws {
        try await SmallPostBench.run { bench in
            bench.disk.hold()
            try await bench.receive(Self.head, Self.body, .end(nil))
            await bench.disk.untilHeld()
            try await bench.onLoop { $0.read() }
            #expect(bench.reads == 1)
            try await bench.receive(.get("/wsapi/ping"), .end(nil))
            try await bench.onLoop { pipeline in
                pipeline.fireErrorCaught(ConnectionEnded())
                pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
                pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
                pipeline.read()
            }
            #expect(bench.passed.isEmpty)
            #expect(bench.reads == 1)
            bench.disk.release()
            #expect(try await bench.nextStatus() == 201)
            await bench.channel.testingEventLoop.run()
            #expect(bench.passed == ["GET /wsapi/ping", "end", "error", "ChannelEvent", "ChannelShouldQuiesceEvent"])
            #expect(bench.reads == 2)
        }
    }

    @Test("POSTs that were held are answered too, and one whose rest is still to come passes")
    func heldPosts() async throws {
        try await SmallPostBench.run { bench in
            bench.disk.hold()
            try await bench.receive(Self.head, Self.body, .end(nil))
            await bench.disk.untilHeld()
            try await bench.receive(Self.head, Self.body, .end(nil), Self.head, Self.body, .end(nil), Self.head)
            bench.disk.release()
            for _ in 0..<3 { #expect(try await bench.nextStatus() == 201) }
            await bench.channel.testingEventLoop.run()
            #expect(bench.passed == ["POST /wsapi/interaction_data"])
            #expect(bench.counters.accepted == 3)
        }
    }

    @Test("none overtakes a request that Hummingbird has still to answer")
    func inLine() async throws {
        try await SmallPostBench.run { bench in
            try await bench.receive(.get("/wsapi/ping"), .end(nil))
            try await bench.receive(Self.head, Self.body, .end(nil))
            #expect(bench.passed.count == 5)
            for _ in 0..<2 {
                try await bench.answer()
                #expect(try await bench.nextStatus() == 200)
            }
            try await bench.receive(Self.head, Self.body, .end(nil))
            #expect(try await bench.nextStatus() == 201)
            #expect(bench.passed.count == 5)
        }
    }

    @Test("where there is no room it passes, to wait in line")
    func noRoom() async throws {
        try await SmallPostBench.run { bench in
            let room = try await bench.log.admit(Bounds.inFlightBytes)
            try await bench.receive(Self.head, Self.body, .end(nil))
            #expect(bench.passed == ["POST /wsapi/interaction_data", Self.event, "end"])
            room.release()
        }
    }

    @Test("a client that does not read its answers is left to Hummingbird, which waits for it")
    func slowReader() async throws {
        try await SmallPostBench.run { bench in
            bench.channel.isWritable = false
            try await bench.receive(Self.head, Self.body, .end(nil))
            #expect(bench.passed.count == 3)
        }
    }

    @Test("the events of a client that left are stored and counted")
    func clientLeaves() async throws {
        try await SmallPostBench.run { bench in
            bench.disk.hold()
            try await bench.receive(Self.head, Self.body, .end(nil), .get("/wsapi/ping"), .end(nil))
            await bench.disk.untilHeld()
            try await bench.channel.close().get()
            bench.disk.release()
            while bench.counters.accepted == 0 { await Task.yield() }
            #expect(bench.passed.isEmpty)
            #expect(bench.log.health.bytesInFlight == 0)
        }
    }
}
