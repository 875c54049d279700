import Glibc
import SegmentFormat
import TestSupport
import Testing

@testable import WebAPI

@Suite("count, last, frames")
struct MetadataTests {
    private static let target = "/wsapi/interaction_data"

    private static func event(_ number: Int, minute: Int) -> String {
        #"{"timestamp":\#(1_361_407_200_000 + minute * 60_000),"n":\#(number)}"#
    }

    @Test("count is a bare number, of a range with both ends in")
    func count() async throws {
        try await TestServer.run { server in
            #expect(try await server.get("\(Self.target)/count").text == "0")
            _ = try await server.post([20, 0, 10, 10].map { Self.event(1, minute: $0) }.joined(separator: "\n"))
            for (query, count) in [
                ("", "4"), ("?start=1361407800000", "3"), ("?end=1361407800000", "3"), ("?start=1361407800", "3"),
                ("?start=1361407800000&end=1361407800000", "2"), ("?start=1361407200001&end=1361407799999", "0"),
            ] {
                let reply = try await server.get("\(Self.target)/count\(query)")
                #expect(reply.text == count, "\(query)")
                #expect(reply.fields["content-type"] == "application/json")
                #expect(reply.fields["daybook-complete"] == "true")
            }
            for query in ["?start=x", "?end=-1", "?start=2&end=1", "?start=1&start=1"] {
                #expect(try await server.get("\(Self.target)/count\(query)").status == 400, "\(query)")
            }
        }
    }

    @Test("last is the row with the highest time, of those the newest, or null")
    func last() async throws {
        try await TestServer.run { server in
            #expect(try await server.get("\(Self.target)/last").text == "null")
            for (number, minute) in [(1, 10), (2, 30), (3, 30), (4, 0)] {
                _ = try await server.post(Self.event(number, minute: minute))
            }
            let rows = try await server.get(Self.target).lines
            let last = try await server.get("\(Self.target)/last")
            #expect("\(last.text)]" == rows.last && last.text.contains(#""n":3,"#))
            #expect(last.fields["content-type"] == "application/json")
        }
    }

    @Test("LZ4 frames decode to the lines in order of arrival; a page of them goes on")
    func frames() async throws {
        try await TestServer.run { server in
            var lines: [String] = []
            for batch in 0..<5 {
                let events = (0..<40).map { Self.event(batch * 40 + $0, minute: ($0 * 7) % 90 / 10 * 10) }
                lines += events
                _ = try await server.post(events.joined(separator: "\n"))
                if batch == 2 { try await server.log.seal() }
            }
            let reply = try await server.get("\(Self.target)?order=arrival", accept: "application/x-lz4")
            #expect(reply.fields["content-type"] == "application/x-lz4")
            #expect(try decoded(reply.body) == lines)
            #expect(reply.trailer["daybook-count"] == "200" && reply.trailer["daybook-xxh3"] == digest(reply.body))

            var (paged, next): ([String], String?) = ([], "\(Self.target)?order=arrival&limit=33")
            while let target = next {
                let page = try await server.get(target, accept: "application/x-lz4")
                paged += try decoded(page.body)
                next = page.next
            }
            #expect(paged == lines)
        }
    }

    @Test("frames do not come in order of time")
    func framesInTimeOrder() async throws {
        try await TestServer.run { server in
            for query in ["", "?order=time"] {
                let reply = try await server.get(Self.target + query, accept: "application/x-lz4")
                #expect(reply.status == 406)
            }
        }
    }

    @Test("of an empty store they are an empty body")
    func noFrames() async throws {
        try await TestServer.run { server in
            let reply = try await server.get("\(Self.target)?order=arrival", accept: "application/x-lz4")
            #expect(reply.status == 200 && reply.body.isEmpty && reply.trailer["daybook-count"] == "0")
        }
    }

    /// The lines of concatenated frames, as the lz4 program prints them.
    private func decoded(_ frames: [UInt8]) throws -> [String] {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/frames.lz4"
        let file = try #require(fopen(path, "wb"))
        #expect(fwrite(frames, 1, frames.count, file) == frames.count)
        fclose(file)
        let output = try #require(popen("lz4 -dc \(path)", "r"))
        var content: [UInt8] = []
        while case let byte = fgetc(output), byte != EOF { content.append(UInt8(byte)) }
        #expect(pclose(output) == 0)
        return String(decoding: content, as: UTF8.self).split(separator: "\n").map(String.init)
    }
}
