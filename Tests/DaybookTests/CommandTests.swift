import Glibc
import LogEngine
import SegmentFormat
import TestSupport
import Testing
import WebAPI

@testable import daybook

@Suite("the commands on a directory")
struct CommandTests {
    private static let events = """
        {"timestamp":1361407260001,"n":1}
        {"timestamp":1361407200000,"n":2}

        {"timestamp":1361406000000,"n":3}

        """

    /// A store whose ids are the same in every run.
    private static func makeStore(at path: String) async throws {
        let log = try EventLog.open(path, options: LogOptions(), environment: TestEnvironment().on(PosixDisk()))
        let batch = LineBatch()
        for (number, minute) in [(1, 20), (2, 20), (3, 0)] {
            let bucket = Bucket(milliseconds: 1_361_406_000_000 + UInt64(minute) * 60_000)
            let line = Array(#"{"timestamp":\#(bucket.milliseconds),"n":\#(number)}"#.utf8)
            line.withUnsafeBytes { batch.append($0, bucket: bucket) }
        }
        _ = try await log.append(batch, delivery: .key(Hash128(low: 1, high: 2), fingerprint: Hash128(low: 3, high: 4)))
        try await log.seal()
        try await log.close()
    }

    @Test("damage that ingest meets when it opens a directory is told with its clause")
    func ingestIntoDamage() async throws {
        let directory = try TemporaryDirectory()
        let data = directory.path + "/data"
        let file = try directory.write(Self.events, to: "events.ndjson")
        try await Self.makeStore(at: data)
        let slot = data + "/interactions/MANIFEST.0"
        var bytes = try #require(WholeFile.read(slot))
        bytes[bytes.count / 2] ^= 1
        try WholeFile.write(bytes, to: slot)
        let ingest = try await CommandRun("ingest", file, "--data", data)
        #expect(ingest.status == 0)
        #expect(ingest.talk.contains("\n\(slot): "), "\(ingest.talk)")
    }

    @Test("ingest, then read in both orders and by range")
    func ingestAndRead() async throws {
        let directory = try TemporaryDirectory()
        let data = directory.path + "/data"
        let file = try directory.write(Self.events, to: "events.ndjson")
        let ingest = try await CommandRun("ingest", file, "--data", data)
        #expect(ingest.status == 0)
        #expect(ingest.output.isEmpty)
        #expect(ingest.talk == "stored 3 events\n")

        let time = try await CommandRun("read", "--data", data)
        #expect(
            time.output == """
                {"timestamp":1361406000000,"n":3}
                {"timestamp":1361407200000,"n":1}
                {"timestamp":1361407200000,"n":2}

                """)
        let arrival = try await CommandRun("read", "--data", data, "--order", "arrival", "--limit", "1")
        #expect(arrival.output == #"{"timestamp":1361407200000,"n":1}"# + "\n")
        let range = try await CommandRun("read", "--data", data, "--from", "1361406000", "--to", "1361407199999")
        #expect(range.output == #"{"timestamp":1361406000000,"n":3}"# + "\n")
    }

    @Test("read prints rows as the server does")
    func rows() async throws {
        let directory = try TemporaryDirectory()
        try await Self.makeStore(at: directory.path)
        let run = try await CommandRun("read", "--data", directory.path, "--format", "rows", "--limit", "2")
        let store = try StoreReader.snapshot(of: directory.path, options: LogOptions(), environment: .system).snapshot
            .store
        let ids = [3, 1].map { EventID(store: store, sequence: Sequence($0)).description }
        #expect(
            run.output.hasPrefix(#"[{"id":"\#(ids[0])","key":1361406000000,"value":{"timestamp":1361406000000,"n":3,"#))
        #expect(run.output.contains("}},\n{\"id\":\"\(ids[1])\",\"key\":1361407200000,"))
        #expect(run.output.hasSuffix("\"}}]\n"))
        let none = try await CommandRun("read", "--data", directory.path, "--format", "rows", "--to", "1")
        #expect(none.output == "[]\n")
    }

    @Test("stat tells what is there")
    func stat() async throws {
        let directory = try TemporaryDirectory()
        try await Self.makeStore(at: directory.path)
        let text = try await CommandRun("stat", "--data", directory.path)
        #expect(text.status == 0)
        let lines = text.output.split(separator: "\n").map(String.init)
        #expect(lines[0].hasSuffix(", stream interactions, resolution 10m"))
        #expect(lines[1] == "events      3")
        #expect(lines[2].hasPrefix("bytes       102 raw, "))
        #expect(lines[3] == "buckets     2013-02-21T00:20:00Z to 2013-02-21T00:40:00Z")
        #expect(lines[5].hasPrefix("free        "))
        #expect(lines[4] == "segments    2 hot, 0 cold")
        #expect(lines[6].hasPrefix("segment  kind   state  blocks  events    raw "))
        #expect(lines[7].contains(" sealed "))
        #expect(lines[9...] == ["       day  events    raw", "2013-02-21       3  102 B"])
        let json = try await CommandRun("stat", "--data", directory.path, "--json")
        #expect(json.output.contains(#""events": 3, "raw_bytes": 102, "#))
        #expect(
            json.output.contains(#""oldest": 1361406000000, "newest": 1361407200000, "free_bytes": "#))
        #expect(json.output.contains(#""days": [{"day": "2013-02-21", "events": 3, "raw_bytes": 102}]"#))
    }

    @Test("stat tells of the latest days, and what came before them")
    func days() async throws {
        let directory = try TemporaryDirectory()
        let day = 86_400
        let days = [1, 2, 4_100, 5_000, 5_028, 5_029, 5_029]
        let text = days.map { #"{"timestamp":\#($0 * day + day - 1)}"# + "\n" }.joined()
        let file = try directory.write(text, to: "events.ndjson")
        let data = ["--data", directory.path + "/data"]
        #expect(try await CommandRun(["ingest", file] + data).status == 0)
        let table = try await CommandRun(["stat"] + data).output
        let rows = table.split(separator: "\n").drop { !$0.contains(" day ") }
        #expect(
            rows.joined(separator: "\n") == """
                       day  events   raw
                   earlier       3     –
                1983-09-10       1  24 B
                1983-10-08       1  24 B
                1983-10-09       2  48 B
                """)
        let json = try await CommandRun(["stat", "--json"] + data).output
        let found = json.matches(of: /"day": "[0-9-]+"/).map { String(json[$0.range].suffix(11).dropLast()) }
        #expect(found == ["1981-03-24", "1983-09-10", "1983-10-08", "1983-10-09"])
    }

    @Test("verify is content with a sound store, and names what is wrong with another")
    func verify() async throws {
        let directory = try TemporaryDirectory()
        try await Self.makeStore(at: directory.path)
        let sound = try await CommandRun("verify", "--data", directory.path)
        #expect(sound.status == 0)
        #expect(sound.output.isEmpty)
        #expect(sound.talk.hasSuffix(": sound\n"))

        let path = directory.path + "/interactions/hot/00000000000000000001.ndjson.lz4"
        let before = try await CommandRun("dump", path, "--lines")
        #expect(before.output.hasPrefix(#"{"timestamp":1361406000000,"n":3}"#))
        try flipByte(of: path, fromEnd: 600)
        let broken = try await CommandRun("verify", "--data", directory.path)
        #expect(broken.status == 65)
        #expect(broken.output.hasPrefix("\(path): "))
        let json = try await CommandRun("verify", "--data", directory.path, "--json")
        #expect(json.status == 65)
        #expect(json.output.contains(#""sound": false, "faults": [{"path": "\#(path)", "clause": ""#))
        #expect(try await CommandRun("dump", path).status == 65)
    }

    private func flipByte(of path: String, fromEnd distance: off_t) throws {
        let descriptor = open(path, O_RDWR)
        guard descriptor >= 0 else { throw SystemFault(errno) }
        defer { close(descriptor) }
        let offset = lseek(descriptor, 0, SEEK_END) - distance
        var byte: UInt8 = 0
        pread(descriptor, &byte, 1, offset)
        byte ^= 0x10
        pwrite(descriptor, &byte, 1, offset)
    }

    @Test("dump prints a segment for a person, and in the shape of tools/read_segment.py")
    func dump() async throws {
        let directory = try TemporaryDirectory()
        try await Self.makeStore(at: directory.path)
        let path = directory.path + "/interactions/hot/00000000000000000001.ndjson.lz4"
        let text = try await CommandRun("dump", path)
        #expect(text.output.hasPrefix("segment 1 of stream interactions, store "))
        #expect(text.output.contains("resolution 10m, created "))
        #expect(text.output.contains("1/1"))
        #expect(text.output.contains("2: 2013-02-21T00:20:00Z to 2013-02-21T00:40:00Z"))
        #expect(text.output.contains("1 keys, 0 sources remembered"))
        let json = try await CommandRun("dump", path, "--json")
        #expect(
            json.output.contains(
                #""lines": 3, "raw": 102, "stored": "#))
        #expect(
            json.output.contains(
                #""arrangement": 1, "runs": [[1361406000000, 1, 34], [1361407200000, 2, 68]], "sequences": [3, 1, 2], "#
                    + #""deliveries": [{"key": "01000000000000000200000000000000", "#
                    + #""fingerprint": "03000000000000000400000000000000", "first": 1, "accepted": 3, "discarded": 0, "#
            ))
        #expect(json.output.contains(#""seal": {"offset": "#))
        #expect(json.output.hasSuffix("\"}}\n"))
    }

    @Test("version")
    func version() async throws {
        let run = try await CommandRun("version")
        #expect(run.output == "daybook \(Build.version), file format 1\n")
    }

    @Test("a bad line stops ingest, which says where and what was stored")
    func badLine() async throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write(Self.events + "{\"timestamp\":0}\n", to: "bad.ndjson")
        let run = try await CommandRun("ingest", file, "--data", directory.path + "/data")
        #expect(run.status == 65)
        #expect(
            run.talk == """
                stored 0 events
                daybook: \(file): line 5, byte 116: the timestamp must be an integer from 1 to 253402300799999, without \
                fraction or exponent (invalid_timestamp)

                """)
        let skipping = try await CommandRun("ingest", file, "--data", directory.path + "/data", "--on-error", "skip")
        #expect(skipping.status == 65)
        #expect(skipping.talk.hasSuffix("stored 3 events\ndaybook: \(file): 1 lines were left out\n"))
    }

    @Test("each trouble has its exit code")
    func exitCodes() async throws {
        let directory = try TemporaryDirectory()
        let missing = directory.path + "/missing"
        let file = try directory.write("{}", to: "00000000000000000001.ndjson.lz4")
        let other = try directory.write("", to: "other")
        let table: [(arguments: [String], status: Int32)] = [
            (["nonsense"], 64), (["read", "--limit", "0"], 64), (["read", "--from", "2", "--to", "1"], 64),
            (["serve", "--addr", "nowhere"], 64), (["serve", "--reserve", "1KiB"], 64),
            (["serve", "--reserve", "2TiB"], 64), (["policy", "set", "--max-age", "0d"], 64), (["policy", "set"], 64),
            (["policy", "set", "--forever", "--max-age", "1d"], 64), (["hold", "add", "--from", "1", "--to", "2"], 64),
            (["hold", "remove", "x"], 64), (["seal", "--data", missing], 66),
            (["policy", "show", "--data", missing], 66),
            (["hold", "list", "--data", missing], 66),
            (["serve", "--resolution", "7m"], 64), (["dump"], 64),
            (["ingest", "-", "--data", "a", "--url", "http://b"], 64), (["dump", other], 65), (["dump", missing], 66),
            (["ingest", file, "--url", "nowhere"], 64), (["dump", file], 65),
            (["read", "--data", missing], 66), (["stat", "--data", missing], 66), (["verify", "--data", missing], 66),
            (["repair", "--data", missing], 66),
            (["ingest", missing, "--data", directory.path + "/data"], 66), (["--help"], 0), (["serve", "--help"], 0),
            (["--version"], 0),
        ]
        for row in table {
            let run = try await CommandRun(row.arguments)
            #expect(run.status == row.status, "\(row.arguments): \(run.talk)")
            #expect(run.talk.isEmpty == (row.status == 0), "\(row.arguments)")
        }
    }

    @Test("a store that is open is 75 for a second writer, and readable beside it")
    func locked() async throws {
        let directory = try TemporaryDirectory()
        let log = try EventLog.open(directory.path, options: LogOptions(), environment: .system)
        let file = try directory.write(Self.events, to: "events.ndjson")
        #expect(try await CommandRun("ingest", file, "--data", directory.path).status == 75)
        #expect(try await CommandRun("serve", "--data", directory.path, "--addr", "127.0.0.1:0").status == 75)
        #expect(try await CommandRun("stat", "--data", directory.path).status == 0)
        try await log.close()
    }

    @Test("a closed pipe ends a command quietly")
    func closedPipe() async throws {
        let directory = try TemporaryDirectory()
        try await Self.makeStore(at: directory.path)
        signal(SIGPIPE, SIG_IGN)
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        close(ends[0])
        let console = Console(output: ends[1], talk: ends[1])
        let status = await Console.$current.withValue(console) {
            await Daybook.run(["read", "--data", directory.path])
        }
        close(ends[1])
        #expect(status == 0)
    }
}
