import Glibc
import LogEngine
import SegmentFormat
import TestSupport
import Testing

@testable import daybook

@Suite("read --format lz4")
struct FrameReadTests {
    private static func lines(_ count: Int) -> String {
        (0..<count).map { #"{"timestamp":\#(1_361_407_200 + $0 % 7 * 600),"n":\#($0)}"# + "\n" }.joined()
    }

    /// What `lz4 -dc` makes of a file.
    private func decoded(_ path: String) throws -> String {
        let target = path + ".ndjson"
        #expect(system("lz4 -dcq '\(path)' > '\(target)'") == 0)
        return String(decoding: try #require(WholeFile.read(target)), as: UTF8.self)
    }

    /// Runs a command with a file as its standard output.
    private func run(_ arguments: [String], to path: String) async throws -> Int32 {
        let output = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        guard output >= 0 else { throw SystemFault(errno) }
        defer { close(output) }
        let console = Console(output: output, talk: STDERR_FILENO)
        return await Console.$current.withValue(console) { await Daybook.run(arguments) }
    }

    @Test("the frames of a directory and of a server are those of the lines in order of arrival")
    func frames() async throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write(Self.lines(25_000), to: "events.ndjson")
        try await withServer { url, server in
            #expect(try await CommandRun("ingest", file, "--url", url).status == 0)
            for options in [
                [], ["--order", "arrival"], ["--limit", "7"], ["--limit", "10001"], ["--from", "2013-02-21T01:00:00Z"],
                ["--from", "2013-02-21T00:50:00Z", "--to", "2013-02-21T00:59:59Z", "--limit", "99"],
            ] {
                let range = options.filter { $0 != "--order" && $0 != "arrival" }
                let lines = try await CommandRun(
                    ["read", "--order", "arrival", "--data", server.directory] + range)
                for source in [["--data", server.directory], ["--url", url]] {
                    let path = "\(directory.path)/frames.lz4"
                    #expect(try await run(["read", "--format", "lz4"] + source + options, to: path) == 0)
                    #expect(try decoded(path) == lines.output, "\(source) \(options)")
                }
            }
        }
    }

    @Test("frames do not go to a terminal, and not in order of time")
    func refused() async throws {
        var (leader, terminal): (Int32, Int32) = (0, 0)
        #expect(openpty(&leader, &terminal, nil, nil, nil) == 0)
        let console = Console(output: terminal, talk: terminal)
        let status = await Console.$current.withValue(console) { await Daybook.run(["read", "--format", "lz4"]) }
        #expect(status == 64)
        let talk = await PipeOutput(leader).lines(1)
        #expect(talk.hasPrefix("daybook: LZ4 frames are not for a terminal: "))
        for descriptor in [terminal, leader] { close(descriptor) }
        #expect(try await CommandRun("read", "--format", "lz4", "--order", "time").status == 64)
    }
}
