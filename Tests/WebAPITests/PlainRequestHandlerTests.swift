import LogEngine
import NIOCore
import Testing

@testable import WebAPI

@Suite("PlainRequestHandler")
struct PlainRequestHandlerTests {
    private static let post = TestRequest.events(#"{"timestamp":1361407200000}"# + "\n").bytes
    private static let get = TestRequest("GET", "/wsapi/ping").bytes

    @Test("plain POSTs of one read are answered in bytes, one after the other, and nobody behind hears of them")
    func answered() async throws {
        try await PlainPostBench.run { bench in
            try await bench.receive(Self.post + Self.post)
            for _ in 0..<2 {
                let answer = try await bench.nextAnswer()
                #expect(answer.hasPrefix("HTTP/1.1 201 Created\r\n"))
                #expect(answer.hasSuffix("}\n"))
            }
            #expect(bench.passed.isEmpty)
            #expect(bench.counters.accepted == 2)
            #expect(bench.log.health.bytesInFlight == 0)
        }
    }

    @Test("what is none passes byte for byte, and so does all that follows")
    func passed() async throws {
        try await PlainPostBench.run { bench in
            for bytes in [Self.get, Self.post, Array("nonsense".utf8)] {
                try await bench.receive(bytes)
                #expect(bench.passed.last == "complete")
            }
            let texts = [Self.get, Self.post].map { String(decoding: $0, as: UTF8.self) } + ["nonsense"]
            #expect(bench.passed == texts.flatMap { [$0, "complete"] })
            #expect(bench.counters.accepted == 0)
        }
    }

    @Test("a POST that is not here whole passes, and so does one that will be refused")
    func notNow() async throws {
        let refused = TestRequest.events("nonsense").bytes
        for bytes in [Array(Self.post.dropLast()), refused, TestRequest.events("\n").bytes] {
            try await PlainPostBench.run { bench in
                try await bench.receive(bytes)
                #expect(bench.passed == [String(decoding: bytes, as: UTF8.self), "complete"])
                #expect(bench.log.health.bytesInFlight == 0)
            }
        }
    }

    @Test("where there is no room it passes, to wait in line")
    func noRoom() async throws {
        try await PlainPostBench.run { bench in
            let room = try await bench.log.admit(Bounds.inFlightBytes)
            try await bench.receive(Self.post)
            #expect(bench.passed.count == 2)
            room.release()
        }
    }

    @Test("a client that does not read its answers is left to those who wait for it")
    func slowReader() async throws {
        try await PlainPostBench.run { bench in
            bench.channel.isWritable = false
            try await bench.receive(Self.post)
            #expect(bench.passed.count == 2)
        }
    }

    @Test("whatever comes while one is stored comes after its answer, in order, and is bounded")
    func held() async throws {
        try await PlainPostBench.run { bench in
            bench.disk.hold()
            try await bench.receive(Self.post)
            await bench.disk.untilHeld()
            try await bench.onLoop { $0.read() }
            #expect(bench.reads == 1)
            try await bench.receive(Self.get)
            try await bench.onLoop { pipeline in
                pipeline.fireErrorCaught(ConnectionEnded())
                pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
                pipeline.read()
            }
            #expect(bench.passed.isEmpty)
            #expect(bench.reads == 1)
            bench.disk.release()
            #expect(try await bench.nextAnswer().hasPrefix("HTTP/1.1 201 "))
            await bench.channel.testingEventLoop.run()
            #expect(bench.passed == [String(decoding: Self.get, as: UTF8.self), "error", "ChannelEvent", "complete"])
            #expect(bench.reads == 2)
        }
    }

    @Test("the events of a client that left are stored and counted")
    func clientLeaves() async throws {
        try await PlainPostBench.run { bench in
            bench.disk.hold()
            try await bench.receive(Self.post + Self.get)
            await bench.disk.untilHeld()
            try await bench.channel.close().get()
            bench.disk.release()
            while bench.counters.accepted == 0 { await Task.yield() }
            #expect(bench.passed.isEmpty)
            #expect(bench.log.health.bytesInFlight == 0)
        }
    }
}
