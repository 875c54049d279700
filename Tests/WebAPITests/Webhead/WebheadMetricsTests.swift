import LogEngine
import Synchronization
import TestSupport
import Testing

@testable import WebAPI

@Suite("What a webhead tells of itself")
struct WebheadMetricsTests {
    private static let blob = #"{"timestamp":1795168800000}"#

    @Test("requests, drops and events of the spool are counted as those of every listener")
    func requests() async throws {
        try await TestWebhead.run { webhead in
            let jar = try await webhead.session()
            #expect(try await webhead.post(Self.blob, jar).status == 200)
            #expect(try await webhead.post(Self.blob, jar, [("dnt", "1")]).status == 200)
            #expect(try await webhead.post(Self.blob, .init(cookie: "", token: "")).status == 403)
            let told = try webhead.told
            let post = ["method": "POST", "route": "/wsapi/interaction_data"]
            #expect(told["daybook_requests_total", post.merging(["status": "200"]) { $1 }] == 2)
            #expect(told["daybook_requests_total", post.merging(["status": "403"]) { $1 }] == 1)
            let context = ["method": "GET", "route": "/wsapi/session_context", "status": "200"]
            #expect(told["daybook_requests_total", context] == 1)
            #expect(told["daybook_dropped_total", ["kind": "requests", "reason": "opt_out"]] == 1)
            #expect(told["daybook_dropped_total", ["kind": "requests", "reason": "no_cookie"]] == 1)
            #expect(told["daybook_events_in_total"] == 1 && told["daybook_requests_in_flight"] == 0)
            #expect(told["daybook_stored_events", ["stream": "spool", "kind": "hot"]] == 1)
        }
    }

    @Test("what waits is told in events, bytes and seconds; what was forwarded, since the start")
    func lag() async throws {
        try await TestWebhead.run(isForOperators: true) { webhead in
            var figures = SpoolFigures()
            (figures.waitingEvents, figures.waitingBytes, figures.waitingMilliseconds) = (7, 700, 1_500)
            figures.forwarded = ["delivered": 40, "reassigned": 2]
            figures.servers = [
                .init(name: "http://a", isUp: true, unknownEvents: 0),
                .init(name: "http://b", isUp: false, unknownEvents: 3),
            ]
            webhead.state.figures.withLock { $0 = figures }
            let first = try await webhead.ask(TestRequest("GET", "/metrics"))
            #expect(first.status == 200 && first.fields["content-type"] == TextExposition.mediaType)
            var told = try ScrapedMetrics(first.text)
            #expect(told["daybook_spool_waiting_events"] == 7 && told["daybook_spool_waiting_bytes"] == 700)
            #expect(told["daybook_spool_waiting_seconds"] == 1.5 && told["daybook_spool_full"] == 0)
            #expect(told["daybook_storage_up", ["server": "http://a"]] == 1)
            #expect(told["daybook_storage_unknown_events", ["server": "http://b"]] == 3)
            #expect(told["daybook_forwarded_events_total", ["outcome": "delivered"]] == 40)
            figures.forwarded["delivered"] = 41
            figures.servers = []
            (figures.isFull, figures.waitingMilliseconds) = (true, 0)
            webhead.state.figures.withLock { [figures] in $0 = figures }
            told = try ScrapedMetrics(try await webhead.ask(TestRequest("GET", "/metrics")).text)
            #expect(told["daybook_forwarded_events_total", ["outcome": "delivered"]] == 41)
            #expect(told["daybook_spool_full"] == 1 && told["daybook_spool_waiting_seconds"] == 0)
            #expect(told["daybook_storage_unknown_events", ["server": "http://b"]] == 0)
            #expect(told["daybook_storage_up", ["server": "http://a"]] == 0)
        }
    }

    @Test("what was forwarded by earlier processes is not counted again")
    func earlier() {
        let registry = MetricRegistry(MetricTable.webhead)
        var figures = SpoolFigures()
        figures.forwarded = ["delivered": 40]
        let metrics = WebheadMetrics(registry) { [figures] in figures }
        metrics.update()
        #expect(registry.counter("daybook_forwarded_events_total", [("outcome", "delivered")]).value == 0)
    }

    @Test("figures that come late are counted once")
    func late() {
        let registry = MetricRegistry(MetricTable.webhead)
        let events = Mutex<UInt64>(40)
        let metrics = WebheadMetrics(registry) {
            var figures = SpoolFigures()
            figures.forwarded = ["delivered": events.withLock { $0 }]
            return figures
        }
        for now: UInt64 in [50, 45, 55] {
            events.withLock { $0 = now }
            metrics.update()
        }
        #expect(registry.counter("daybook_forwarded_events_total", [("outcome", "delivered")]).value == 15)
    }

    @Test("limits of requests hold for browsers, and not for those who run the webhead")
    func limits() async throws {
        let requests = RequestLimits(rate: .init(perSecond: 1, burst: 2))
        try await TestWebhead.run(requests: requests) { webhead in
            let jar = try await webhead.session()
            #expect(try await webhead.post(Self.blob, jar).status == 200)
            let refused = try await webhead.post(Self.blob, jar)
            #expect(refused.status == 429 && refused.fields["retry-after"] == "1")
            #expect(refused.fields["cache-control"] == "no-cache, max-age=0")
            #expect(try await webhead.ask(TestRequest("GET", "/readyz")).status == 200)
            #expect(try webhead.told["daybook_requests_in_flight"] == 0)
        }
    }

    @Test("every metric of a webhead is in the page")
    func table() throws {
        let names = (MetricTable.all + MetricTable.webhead).map(\.name)
        #expect(Set(names).count == names.count)
        let root = #filePath.split(separator: "/").dropLast(4).reduce("") { "\($0)/\($1)" }
        let page = String(decoding: try #require(WholeFile.read("\(root)/SPEC.md")), as: UTF8.self)
        for metric in MetricTable.webhead {
            let labels = metric.labels.map { "`\($0)`" }.joined(separator: ", ")
            let row = "| `\(metric.name)` | \(metric.kind.name) | \(labels.isEmpty ? "–" : labels) | \(metric.help) |"
            #expect(page.contains(row), "\(metric.name)")
        }
    }
}
