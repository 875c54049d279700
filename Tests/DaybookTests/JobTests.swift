import Glibc
import LogEngine
import SegmentFormat
import Synchronization
import TestSupport
import Testing

@testable import daybook

@Suite("jobs")
struct JobTests {
    private static let sequence = [
        "seal", "seal --json", "seal", "policy set --max-age 90d --max-bytes 10GiB",
        "policy set --min-free 5GiB --max-bytes none --json", "policy set --forever",
        "hold add --from 2026-01-01 --to 2026-03-31 --reason spring",
        "hold add --from 7d --to now --reason week --json",
        "hold add --from today --to yesterday --reason never", "hold remove 9", "hold remove 1", "hold remove 2 --json",
        "compact", "compact --json", "purge --max-age 400d --dry-run", "purge --max-age 1h --json", "purge", "maintain",
        "seal --nonsense", "hold add --from 1 --to 2", "policy set", "seal --help",
    ]

    /// Two hours after the newest event of the store.
    private static let now: @Sendable () -> UInt64 = { 1_794_963_600_000 + 7_200_000 }

    private static let store =
        #filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" }
        + "/Fixtures/stores/v1-small"

    private struct Ending: Equatable {
        let command: String
        let status: Int32
        let output: String
        let talk: String
    }

    private static func run(_ command: String, in data: String) async throws -> Ending {
        let words = command.split(separator: " ").map(String.init)
        let run = try await CommandRun(words + ["--data", data])
        return Ending(
            command: command, status: run.status, output: run.output, talk: run.talk.replacing(data, with: "DATA"))
    }

    @Test("each prints the same, and ends with the same code, with a server and without")
    func same() async throws {
        let directory = try TemporaryDirectory()
        let here = try directory.copy(of: Self.store, to: "here")
        let there = try directory.copy(of: Self.store, to: "there")
        try await WallClock.$now.withValue(Self.now) {
            var alone: [Ending] = []
            for command in Self.sequence { alone.append(try await Self.run(command, in: here)) }
            try await withControl(there) { _ async throws in
                for (command, wanted) in zip(Self.sequence, alone) {
                    let served = try await Self.run(command, in: there)
                    #expect(served == wanted)
                }
            }
            #expect(Swift.Set(alone.map(\.status)) == [0, 64, 66])
        }
        // And they did the same.
        let snapshots = try [here, there].map {
            try StoreReader.snapshot(of: $0, options: LogOptions(), environment: .system).snapshot
        }
        #expect(snapshots[0].segments.map(\.isSealed) == snapshots[1].segments.map(\.isSealed))
        #expect(snapshots[0].holds == snapshots[1].holds && snapshots[0].policy == snapshots[1].policy)
    }

    /// Runs a command with a clock so far behind the newest event of a copy of the store whose second segment
    /// is damaged.
    private static func ending(of command: String, after time: UInt64, isServed: Bool) async throws -> Ending {
        let directory = try TemporaryDirectory()
        let data = try directory.copy(of: Self.store, to: "data")
        let path = "\(data)/interactions/hot/00000000000000000002.ndjson.lz4"
        var bytes = try #require(WholeFile.read(path))
        bytes[bytes.count / 2] ^= 1
        try WholeFile.write(bytes, to: path)
        let now: @Sendable () -> UInt64 = { 1_794_963_600_000 + time }
        return try await WallClock.$now.withValue(now) {
            guard isServed else { return try await Self.run(command, in: data) }
            var ending: Ending?
            try await withControl(data) { _ async throws in ending = try await Self.run(command, in: data) }
            return try #require(ending)
        }
    }

    @Test("a segment that a purge had to leave is told, with 7", arguments: [false, true])
    func deferred(isServed: Bool) async throws {
        let ending = try await Self.ending(of: "purge --max-age 150m", after: 7_200_000, isServed: isServed)
        #expect(ending.status == 7)
        #expect(ending.output.contains("/hot/00000000000000000002.ndjson.lz4: the segment is damaged"))
        #expect(ending.output.contains("; 1 events are not read any more, but still on the disk"))
        #expect(ending.output.contains("purged 1 segments, 3 events, "))
    }

    @Test("a clock that is not believed is 6, for a purge and for maintain", arguments: [false, true])
    func clock(isServed: Bool) async throws {
        for command in ["purge --max-age 1h", "maintain"] {
            let ending = try await Self.ending(of: command, after: 30 * 86_400_000, isServed: isServed)
            #expect(ending.status == 6 && ending.output.isEmpty)
            #expect(ending.talk.contains("the clock is 29 days ahead of the latest time that this store has seen"))
        }
        let believed = try await Self.ending(
            of: "purge --max-age 1h --allow-step", after: 30 * 86_400_000, isServed: isServed)
        #expect(believed.status == 0)
    }

    @Test("maintain is on record, and has not succeeded where a step of it did not", arguments: [true, false])
    func maintained(isSound: Bool) async throws {
        let directory = try TemporaryDirectory()
        let data = try directory.copy(of: Self.store, to: "data")
        if !isSound { try WholeFile.write([0], to: "\(data)/interactions/hot/00000000000000000001.ndjson.lz4") }
        let ending = try await WallClock.$now.withValue(Self.now) { try await Self.run("maintain", in: data) }
        #expect((ending.status == 0) == isSound)
        let jobs = try StoreReader.snapshot(of: data, options: LogOptions(), environment: .system).snapshot.jobs
        let record = try #require(jobs.first { $0.job == .maintain })
        let now = Resolution.tenMinutes.bucket(of: Self.now()).milliseconds
        #expect(record.lastRun == now && record.lastSuccess == (isSound ? now : 0))
    }

    @Test("none makes a store")
    func missing() async throws {
        let directory = try TemporaryDirectory()
        for command in Self.sequence.prefix(7) where !command.contains("json") {
            let ending = try await Self.run(command, in: "\(directory.path)/none")
            #expect(ending.status == 66, "\(command): \(ending.talk)")
            #expect(access("\(directory.path)/none", F_OK) != 0)
        }
    }

    @Test("where another program has the lock and takes no jobs, that is 75, and nobody waits for it")
    func locked() async throws {
        let directory = try TemporaryDirectory()
        let log = try EventLog.open(directory.path, options: LogOptions(), environment: .system)
        let ending = try await Self.run("seal", in: directory.path)
        #expect(ending.status == 75)
        #expect(ending.talk.hasPrefix("daybook: DATA/interactions: another process has this store open"))
        try await log.close()
        #expect(try await Self.run("seal", in: directory.path).status == 0)
    }

    @Test("a socket that a dead server left hinders neither a job nor the next server")
    func stale() async throws {
        let directory = try TemporaryDirectory()
        let data = try directory.copy(of: Self.store, to: "data")
        let layout = Layout(data: data, stream: .interactions)
        close(try RawSocket.open(layout.controlSocket) { bind($0, $1, $2) })
        #expect(try await Self.run("seal", in: data).status == 0)
        let log = try EventLog.open(data, options: LogOptions(), environment: .system)
        #expect(try await Self.run("seal", in: data).status == 75)
        try await log.close()
        try await withControl(data) { _ async throws in
            let ending = try await Self.run("seal", in: data)
            #expect(ending.status == 0 && ending.output == "nothing to seal\n")
        }
        #expect(access(layout.controlSocket, F_OK) != 0)
    }

    @Test("the path of the directory may be longer than a socket's address")
    func longPath() async throws {
        let directory = try TemporaryDirectory()
        let parent = (1...3).reduce(directory.path) { path, _ in path + "/" + String(repeating: "p", count: 60) }
        _ = system("mkdir -p '\(parent)'")
        let data = "\(parent)/data"
        try await withControl(data) { store async throws in
            #expect(try await Self.run("hold add --from 1 --to 2 --reason long", in: data).status == 0)
            #expect(store.log.holds.map(\.reason) == ["long"])
            #expect(access(store.layout.controlSocket, F_OK) == 0)
        }
        #expect(access("\(data)/interactions/control.sock", F_OK) != 0)
    }

    @Test("a second job of a kind is refused while the first runs, and another kind is not")
    func second() async throws {
        let directory = try TemporaryDirectory()
        let gate = HeldJob.Gate()
        try await HeldJob.$gate.withValue(gate) {
            try await withControl(directory.path, .holding) { store async throws in
                let text = SaidText()
                async let first = store.client("held").handOver(Console(text))
                await gate.begun()
                let refused = SaidText()
                #expect(try await store.client("held").handOver(Console(refused)) == .ended(.alreadyRunning))
                #expect(refused.text == "daybook: a purge job is running already; wait for its end\n")
                #expect(try await Self.run("seal", in: directory.path).status == 0)
                gate.letEnd()
                #expect(try await first == .ended(.success))
                #expect(text.text == "held\nsealed\n")
                async let third = store.client("held").handOver(Console(SaidText()))
                gate.letEnd()
                #expect(try await third == .ended(.success))
            }
        }
    }

    @Test("a client that goes away does not harm its job")
    func departure() async throws {
        let directory = try TemporaryDirectory()
        let gate = HeldJob.Gate()
        try await HeldJob.$gate.withValue(gate) {
            try await withControl(directory.path, .holding) { store async throws in
                var client: RawClient? = try store.connect()
                client?.send(#"{"protocol":1,"arguments":["held"],"terminal":false}"# + "\n")
                #expect(await client?.lines(2) == "{\"protocol\": 1}\n{\"talk\": \"held\\u000a\"}\n")
                client = nil
                gate.letEnd()
                await gate.ended()
                // Its place is free again.
                async let next = store.client("held").handOver(Console(SaidText()))
                gate.letEnd()
                #expect(try await next == .ended(.success))
            }
        }
    }

    @Test("a client that reads nothing holds up neither its job nor the shutdown", arguments: [1 << 16, 16 << 20])
    func unread(limit: Int) async throws {
        let directory = try TemporaryDirectory()
        let gate = HeldJob.Gate()
        var options = ControlServer.Options.holding
        options.limits.unsentBytes = limit
        options.limits.farewellTime = .milliseconds(20)
        try await HeldJob.$gate.withValue(gate) {
            let client = Mutex<RawClient?>(nil)
            try await withControl(directory.path, options) { store async throws in
                let connected = try store.connect()
                client.withLock { $0 = connected }
                connected.send(#"{"protocol":1,"arguments":["noisy"],"terminal":false}"# + "\n")
                await gate.ended()
                guard limit < 1 << 20 else { return }
                #expect(await !connected.lines().contains("exit"))
            }
            let answer = await client.withLock { $0 }?.lines()
            #expect(answer?.contains("exit") == false)
        }
    }

    @Test("a long answer arrives whole")
    func whole() async throws {
        let directory = try TemporaryDirectory()
        try await withControl(directory.path, .holding) { store async throws in
            let text = SaidText()
            #expect(try await store.client("noisy").handOver(Console(text)) == .ended(.success))
            #expect(text.text == String(repeating: String(repeating: "x", count: 65_535) + "\n", count: 64))
        }
    }

    @Test("a shutdown asks running jobs to stop, and tells their clients")
    func shutdown() async throws {
        let directory = try TemporaryDirectory()
        let gate = HeldJob.Gate()
        try await HeldJob.$gate.withValue(gate) {
            try await withControl(directory.path, .holding) { store async throws in
                let text = SaidText()
                async let held = store.client("held").handOver(Console(text))
                await gate.begun()
                let idle = try store.connect()
                #expect(await idle.lines(1) == "{\"protocol\": 1}\n")
                store.stop()
                #expect(try await held == .ended(.temporary))
                #expect(
                    text.text == """
                        held
                        daybook: the server is shutting down, and stops this job
                        daybook: stopped before the end; run it again

                        """)
                let refusal = "daybook: the server is shutting down; try again"
                #expect(await idle.lines() == "{\"talk\": \"\(refusal)\\u000a\"}\n{\"exit\": 75}\n")
            }
        }
    }
}
