import Glibc
import LogEngine
import TestSupport
import Testing

@testable import daybook

@Suite("ingest of CouchDB dumps")
struct DumpIngestTests {
    private static func document(_ number: Int) -> String {
        #"{"_id":"d\#(number)","_rev":"1-a","timestamp":1361407200000,"n":\#(number)}"#
    }

    private static func row(_ number: Int) -> String {
        #"{"id":"d\#(number)","key":"d\#(number)","value":{"rev":"1-a"},"doc":\#(document(number))}"#
    }

    /// As `_all_docs?include_docs=true` answers.
    private static func dump(_ rows: [String]) -> String {
        #"{"total_rows":\#(rows.count),"offset":0,"rows":["# + "\r\n" + rows.joined(separator: ",\r\n") + "\r\n]}\n"
    }

    private static func stored(_ number: Int) -> String { #"{"timestamp":1361407200000,"n":\#(number)}"# + "\n" }

    private func read(_ data: String) async throws -> String {
        try await CommandRun("read", "--data", data, "--order", "arrival").output
    }

    private func ingest(_ text: String, in directory: borrowing TemporaryDirectory, _ options: [String] = [])
        async throws -> CommandRun
    {
        let file = try directory.write(text, to: "dump.json")
        return try await CommandRun(
            ["ingest", file, "--format", "couchdb", "--data", "\(directory.path)/data"] + options)
    }

    private static let mixed = [
        #"{"id":"_design/kpi","key":"_design/kpi","value":{"rev":"1-a"},"doc":{"views":{}}}"#, row(1),
        #"{"id":"x","key":"x","value":{"rev":"1-a"},"doc":{"_id":"x"}}"#,
        #"{"id":"y","key":"y","value":{"rev":"2-a","deleted":true},"doc":null}"#, #"{"key":"z","error":"not_found"}"#,
        #"{"id":"v","key":1,"value":{"timestamp":1361407200000,"n":2}}"#,
        #"{"id":"w","key":"w","value":{"rev":"1-a"},"doc":{"timestamp":1361407200000,"#
            + "\r\n \"n\" : 3 }}",
    ]

    @Test("documents and values are stored, everything else is counted, and a second run stores nothing")
    func repeated() async throws {
        let directory = try TemporaryDirectory()
        let rest =
            "rows without an event: design documents 1, deleted 1, missing 1, without a timestamp 1\n"
        let first = try await ingest(Self.dump(Self.mixed), in: directory)
        #expect(first.status == 0 && first.output.isEmpty)
        #expect(first.talk == "stored 3 events\n" + rest)
        let expected =
            Self.stored(1) + Self.stored(2) + #"{"timestamp":1361407200000,   "n" : 3 }"# + "\n"
        #expect(try await read("\(directory.path)/data") == expected)
        let second = try await ingest(Self.dump(Self.mixed), in: directory)
        #expect(second.status == 0)
        #expect(second.talk == "stored 0 events, 3 were stored before\n" + rest)
        #expect(try await read("\(directory.path)/data") == expected)
    }

    @Test("a run that was cut off between batches is made whole by another, without repeats")
    func interrupted() async throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write(Self.dump((1...25_000).map(Self.row)), to: "dump.json")
        let identity = try InputIdentity.read(DumpReader(try InputFile(file)), .couchdb, .stop)
        let log = try EventLog.open("\(directory.path)/data", options: LogOptions(), environment: .system)
        var reader = DumpReader(try InputFile(file))
        let batch = try #require(try reader.next())
        let lines = try batch.decoded(.init(resolution: log.resolution), .stop).0
        _ = try await log.append(lines, delivery: identity.delivery(of: batch))
        try await log.close()
        let run = try await CommandRun("ingest", file, "--format", "couchdb", "--data", "\(directory.path)/data")
        #expect(run.talk == "stored 15,000 events, 10,000 were stored before\n")
        #expect(try await read("\(directory.path)/data") == (1...25_000).map(Self.stored).joined())
    }

    @Test("a bad document is named by row, byte and reason, and nothing of the file is stored")
    func refused() async throws {
        let directory = try TemporaryDirectory()
        let good = (1...12_000).map(Self.row)
        let bad = Self.row(7).replacing("1361407200000", with: #""1361407200000""#)
        let text = Self.dump(good + [bad, Self.row(8)])
        let offset = try #require(text.firstRange(of: #""1361407200000""#)).lowerBound.utf16Offset(in: text)
        let run = try await ingest(text, in: directory)
        #expect(run.status == 65)
        #expect(
            run.talk.hasPrefix("stored 0 events\ndaybook: \(directory.path)/dump.json: row 12001, byte \(offset): "))
        #expect(run.talk.hasSuffix("(invalid_timestamp)\n"))
        let skipping = try await ingest(text, in: directory, ["--on-error", "skip"])
        #expect(skipping.status == 65)
        #expect(skipping.talk.hasPrefix("row 12001, byte \(offset): "))
        #expect(
            skipping.talk.hasSuffix(
                "stored 12,001 events\ndaybook: \(directory.path)/dump.json: 1 rows were left out\n"))
    }

    @Test("a row that is no JSON is refused like a bad document")
    func badRow() async throws {
        let directory = try TemporaryDirectory()
        let text = Self.dump([Self.row(1), #"{"id":"b","doc":{"timestamp":01}}"#, Self.row(2)])
        let run = try await ingest(text, in: directory)
        #expect(run.status == 65 && run.talk.contains(": row 2, byte ") && run.talk.hasSuffix("(invalid_number)\n"))
        _ = try await ingest(text, in: directory, ["--on-error", "skip"])
        #expect(try await read("\(directory.path)/data") == Self.stored(1) + Self.stored(2))
    }

    @Test("of a truncated dump nothing is stored, or with skip the rows that are whole")
    func truncated() async throws {
        let directory = try TemporaryDirectory()
        let text = String(Self.dump([Self.row(1), Self.row(2), Self.row(3)]).dropLast(20))
        let message =
            "daybook: \(directory.path)/dump.json: after row 2, byte \(text.utf8.count): the dump ends before its end (truncated)\n"
        let run = try await ingest(text, in: directory)
        #expect(run.status == 65)
        #expect(run.talk == "stored 0 events\n" + message)
        let skipping = try await ingest(text, in: directory, ["--on-error", "skip"])
        #expect(skipping.status == 65)
        #expect(skipping.talk == "stored 2 events\n" + message)
        #expect(try await read("\(directory.path)/data") == Self.stored(1) + Self.stored(2))
    }

    @Test("a dump without documents says what it lacks")
    func withoutDocuments() async throws {
        let directory = try TemporaryDirectory()
        let run = try await ingest(Self.dump([#"{"id":"a","key":"a","value":{"rev":"1-a"}}"#]), in: directory)
        #expect(run.status == 0)
        #expect(run.talk.hasSuffix("no row has a timestamp: was the dump made with include_docs=true?\n"))
    }

    @Test("batches do not depend on how the dump is read, and know the places of their events")
    func batches() throws {
        let directory = try TemporaryDirectory()
        let text = Self.dump((1...30).map(Self.row) + Self.mixed)
        let file = try directory.write(text, to: "dump.json")
        for readBytes in [1, 2, 3, 64, 1 << 20] {
            var reader = DumpReader(try InputFile(file, readBytes: readBytes))
            let batch = try #require(try reader.next())
            #expect(batch.lines == 33)
            #expect(batch.leftOut.values.reduce(0, +) == 4)
            let place = batch.place(
                ofLine: 31, offset: Array(batch.bytes.split(separator: 0x0A)[..<30].joined()).count + 30)
            #expect(place.kind == .row && place.number == 32)
            #expect(Array(text.utf8)[place.offset...].starts(with: Self.document(1).utf8))
            #expect(try reader.next() == nil)
        }
        var reader = DumpReader(
            try InputFile(try directory.write(Self.dump((1...20_001).map(Self.row)), to: "many.json")))
        var lines: [Int] = []
        while let batch = try reader.next() { lines.append(batch.lines) }
        #expect(lines == [10_000, 10_000, 1])
    }

    @Test("--once does the same for NDJSON, and no other file is taken for this one")
    func once() async throws {
        let directory = try TemporaryDirectory()
        let text = (1...10_001).map(Self.stored).joined()
        let data = "\(directory.path)/data"
        let file = try directory.write(text, to: "events.ndjson")
        #expect(try await CommandRun("ingest", file, "--data", data, "--once").talk == "stored 10,001 events\n")
        let again = try await CommandRun("ingest", file, "--data", data, "--once")
        #expect(again.talk == "stored 0 events, 10,001 were stored before\n")
        let longer = try directory.write(text + Self.stored(0), to: "longer.ndjson")
        #expect(try await CommandRun("ingest", longer, "--data", data, "--once").talk == "stored 10,002 events\n")
        #expect(try await CommandRun("ingest", file, "--data", data).talk == "stored 10,001 events\n")
        let bad = try directory.write(text + "[]", to: "bad.ndjson")
        let refused = try await CommandRun("ingest", bad, "--data", data, "--once")
        #expect(refused.status == 65 && refused.talk.hasPrefix("stored 0 events\n"))
        #expect(try await CommandRun("ingest", "/dev/null", "--data", data, "--once").status == 64)
    }

    @Test("the memory of a dump is not lost with seals and reopens")
    func remembered() async throws {
        let directory = try TemporaryDirectory()
        _ = try await ingest(Self.dump([Self.row(1)]), in: directory)
        for number in 2...3 {
            let log = try EventLog.open("\(directory.path)/data", options: LogOptions(), environment: .system)
            _ = try await log.append(TestBatch(number, buckets: [1]).lines, delivery: nil)
            try await log.seal()
            try await log.close()
        }
        #expect(
            try await ingest(Self.dump([Self.row(1)]), in: directory).talk == "stored 0 events, 1 were stored before\n")
    }
}
