import Foundation
import LogEngine
import SegmentFormat
import TestSupport
import Testing

@testable import WebAPI

@Suite("/metrics")
struct MetricsTests {
    private static let event = #"{"timestamp":1361407200000}"# + "\n"
    private static let stream = ["stream": "interactions"]
    private static let posts = ["method": "POST", "route": "/wsapi/interaction_data"]

    private static func scrape(_ server: TestServer) async throws -> ScrapedMetrics {
        let reply = try await server.get("/metrics")
        #expect(reply.status == 200)
        #expect(reply.fields["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
        return try ScrapedMetrics(reply.text)
    }

    private static func with(_ labels: [String: String], _ more: [String: String]) -> [String: String] {
        labels.merging(more) { $1 }
    }

    @Test("SPEC §21 has a row for each metric that is served, with its type, labels and meaning, in their order")
    func specification() async throws {
        let rows = try Self.specifiedRows()
        #expect(rows.map(\.name) == MetricTable.all.map(\.name))
        try await TestServer.run { server in
            _ = try await server.post(Self.event)
            _ = try await server.get("/metrics")
            let served = try await Self.scrape(server)
            #expect(served.names == rows.map(\.name))
            for row in rows {
                let family = try #require(served.families[row.name])
                #expect(family.type == row.type && family.help == row.help, "\(row.name)")
                for sample in family.samples {
                    #expect(Set(sample.labels.keys).subtracting(["le"]) == Set(row.labels), "\(row.name)")
                }
            }
        }
    }

    private struct Row {
        let name: String, type: String, labels: [String], help: String
    }

    /// The rows of the table of SPEC §21, less their markup.
    private static func specifiedRows() throws -> [Row] {
        let root = #filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" }
        let text = try String(contentsOfFile: "\(root)/SPEC.md", encoding: .utf8)
        let section = text.components(separatedBy: "\n## ").first { $0.hasPrefix("21.") }
        return try #require(section).split(separator: "\n").filter { $0.hasPrefix("| `daybook_") }.map { line in
            let cells = line.split(separator: "|").map {
                $0.filter { $0 != "`" }.trimmingCharacters(in: .whitespaces)
            }
            let labels = cells[2].split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
            return Row(name: cells[0], type: cells[1], labels: labels.filter { $0 != "–" }, help: cells[3])
        }
    }

    @Test("events, bytes and requests are counted on both ways in, and on the way out")
    func flow() async throws {
        try await TestServer.run { server in
            let pair = Self.event + Self.event
            #expect(try await server.post(Self.event).status == 201)
            let form = [("content-type", "application/x-www-form-urlencoded")]
            #expect(try await server.post("data=[\(Self.event)]", form).status == 201)
            #expect(try await server.post(pair, [("idempotency-key", "a")]).status == 201)
            #expect(try await server.post(pair, [("idempotency-key", "a")]).status == 201)
            let reply = try await server.get("/wsapi/interaction_data", accept: "application/x-ndjson")
            #expect(reply.lines.count == 4)
            // A streamed answer is counted behind its end.
            while server.counters.streaming > 0 { await Task.yield() }
            let served = try await Self.scrape(server)
            let bytes = Self.event.utf8.count
            #expect(served["daybook_events_in_total"] == 4)
            #expect(served["daybook_repeated_batches_total"] == 1)
            #expect(served["daybook_request_body_bytes_total"] == Double(6 * bytes + 7))
            #expect(served["daybook_events_out_total"] == 4)
            #expect(served["daybook_requests_total", Self.with(Self.posts, ["status": "201"])] == 4)
            #expect(served["daybook_request_duration_seconds_count", Self.posts] == 4)
            let gets = ["method": "GET", "route": "/wsapi/interaction_data"]
            #expect(served["daybook_requests_total", Self.with(gets, ["status": "200"])] == 1)
            #expect(served["daybook_response_body_bytes_total"] ?? 0 > Double(reply.body.count))
            #expect(served["daybook_requests_in_flight"] == 1, "this scrape")
            #expect(served["daybook_streams"] == 0)
        }
    }

    @Test("connections and streams are told while they are there")
    func connections() async throws {
        try await TestServer.run { server in
            let port = server.port
            let followers = try await Blocking.run {
                try (0..<3).map { _ in
                    let connection = try RawConnection(port)
                    try connection.send(TestRequest("GET", "/wsapi/interaction_data/stream").bytes)
                    _ = try connection.readHead()
                    return connection
                }
            }
            let served = try await Self.scrape(server)
            #expect(served["daybook_streams"] == 3)
            #expect(served["daybook_requests_in_flight"] == 4)
            #expect(served["daybook_connections"] ?? 0 >= 4)
            let labels = ["method": "GET", "route": "/wsapi/interaction_data/stream", "status": "200"]
            #expect(served["daybook_requests_total", labels] == 3, "followers are counted with their heads")
            for follower in followers { follower.finish() }
            while server.counters.streaming > 0 { await Task.yield() }
        }
    }

    @Test("latencies are from the head to the end of the answer, by the log's clock")
    func latency() async throws {
        try await SmallPostBench.run { bench in
            bench.disk.hold()
            try await bench.receive(.post(Self.event.utf8.count), .body(.init(string: Self.event)), .end(nil))
            await bench.disk.untilHeld()
            bench.clock.advance(by: 7)
            let waiting = try ScrapedMetrics(String(buffer: bench.metrics.exposition()))
            #expect(waiting["daybook_requests_in_flight"] == 1)
            #expect(waiting["daybook_in_flight_bytes", Self.stream] == Double(Self.event.utf8.count))
            bench.disk.release()
            #expect(try await bench.nextStatus() == 201)
            let served = try ScrapedMetrics(String(buffer: bench.metrics.exposition()))
            #expect(served["daybook_request_duration_seconds_sum", Self.posts] == 0.007)
            #expect(served["daybook_request_duration_seconds_bucket", Self.with(Self.posts, ["le": "0.005"])] == 0)
            #expect(served["daybook_request_duration_seconds_bucket", Self.with(Self.posts, ["le": "0.01"])] == 1)
            #expect(served["daybook_requests_in_flight"] == 0)
            #expect(served["daybook_in_flight_bytes", Self.stream] == 0)
            #expect(served["daybook_sync_duration_seconds_sum", Self.stream] == 0.007)
            #expect(served["daybook_commit_events_sum", Self.stream] == 1)
            #expect(served["daybook_commit_batches_count", Self.stream] == 1)
            let stored = try #require(served["daybook_stored_bytes", Self.with(Self.stream, ["kind": "hot"])])
            let written = try #require(served["daybook_commit_bytes_sum", Self.stream])
            #expect(written > 0 && written < stored)
        }
    }

    @Test("every refused request, refused event and discarded event is counted under its reason, on both ways in")
    func drops() async throws {
        try await TestServer.run { server in
            let json = [("content-type", "application/json")]
            #expect(try await server.post("{}\n" + Self.event).status == 400)
            #expect(try await server.post(#"{"data":[{},{}]}"#, json).status == 400)
            var skipping = TestRequest.events("x\n" + Self.event)
            skipping.target += "?on_error=skip"
            #expect(try await server.ask(skipping).status == 201)
            #expect(try await server.get("/wsapi/interaction_data?limit=x").status == 400)
            #expect(try await server.get("/nothing").status == 404)
            #expect(try await server.ask(TestRequest("DELETE", "/livez")).status == 405)
            #expect(try await server.get("/wsapi/interaction_data", accept: "image/png").status == 406)
            let served = try await Self.scrape(server)
            func dropped(_ kind: String, _ reason: String) -> Double? {
                served["daybook_dropped_total", ["kind": kind, "reason": reason]]
            }
            #expect(dropped("requests", "missing_timestamp") == 2 && dropped("events", "missing_timestamp") == 4)
            #expect(dropped("requests", "not_an_object") == 0 && dropped("events", "not_an_object") == 1)
            for reason in ["bad_parameter", "not_found", "method_not_allowed", "not_acceptable"] {
                #expect(dropped("requests", reason) == 1 && dropped("events", reason) == 0, "\(reason)")
            }
            #expect(dropped("events", "before_horizon") == 0)
            #expect(served["daybook_events_in_total"] == 1)
        }
    }

    @Test("labels have closed sets of values, whatever clients make up")
    func closedSets() async throws {
        try await TestServer.run { server in
            for number in 0..<20 {
                let fields = [("user-agent", "agent-\(number)"), ("x-forwarded-for", "192.0.2.\(number)")]
                _ = try await server.ask(TestRequest(number % 2 == 0 ? "PROPFIND" : "MKCOL", "/a\(number)", fields))
                _ = try await server.ask(TestRequest("GET", "/wsapi/interaction_data?id=\(number)&x\(number)", fields))
            }
            let served = try await Self.scrape(server)
            let other = ["method": "other", "route": "other", "status": "404"]
            #expect(served["daybook_requests_total", other] == 20)
            let read = ["method": "GET", "route": "/wsapi/interaction_data", "status": "404"]
            #expect(served["daybook_requests_total", read] == 20)
            #expect(served.families["daybook_requests_total"]?.samples.count == 2)
        }
    }

    @Test("the store is told as it is: hot and cold, buckets, horizon, jobs, room, damage")
    func store() async throws {
        let disk = VirtualDisk()
        let hour = try #require(Resolution(milliseconds: 3_600_000))
        try await TestServer.run(on: disk, at: "/data", resolution: hour) { server in
            let empty = try await Self.scrape(server)
            #expect(empty["daybook_oldest_bucket_seconds", Self.stream] == 0)
            #expect(empty["daybook_job_last_success_seconds", Self.with(Self.stream, ["job": "compact"])] == 0)
            for hour in [5, 1, 3] {
                #expect(try await server.post(#"{"timestamp":\#(1_794_960_000_000 + hour * 3_600_000)}"#).status == 201)
            }
            _ = try await server.log.seal()
            _ = try await server.log.compact()
            #expect(try await server.post(#"{"timestamp":\#(1_794_960_000_000 + 9 * 3_600_000)}"#).status == 201)
            let served = try await Self.scrape(server)
            for (kind, events) in [("hot", 1.0), ("cold", 3.0)] {
                let labels = Self.with(Self.stream, ["kind": kind])
                #expect(served["daybook_stored_events", labels] == events)
                #expect(served["daybook_segments", labels] == 1)
                #expect(served["daybook_stored_bytes", labels] ?? 0 > 0)
            }
            #expect(served["daybook_oldest_bucket_seconds", Self.stream] == 1_794_963_600)
            #expect(served["daybook_newest_bucket_seconds", Self.stream] == 1_794_992_400)
            #expect(served["daybook_horizon_seconds", Self.stream] == 0)
            #expect(served["daybook_free_bytes", Self.stream] == Double(disk.freeBytes))
            let compacted = served["daybook_job_last_success_seconds", Self.with(Self.stream, ["job": "compact"])]
            #expect(compacted == Double(server.clock.now / 3_600_000 * 3_600))
            #expect(served["daybook_corrupt_blocks", Self.stream] == 0)
            #expect(served["daybook_build_info", ["version": Build.version, "format": "1"]] == 1)
        }
    }
}
