import LogEngine
import Testing

@testable import WebAPI

@Suite("the query of GET /wsapi/interaction_data")
struct EventQueryTests {
    private func query(_ text: String) throws -> EventQuery { try EventQuery(QueryParameters(text)) }

    @Test(
        "times are milliseconds, or seconds below 10^11",
        arguments: [
            ("", 0, UInt64.max), ("start=1361407200000&end=1361407200001", 1_361_407_200_000, 1_361_407_200_001),
            ("start=1336575273", 1_336_575_273_000, UInt64.max), ("end=13330461000000", 0, 13_330_461_000_000),
            ("start=99999999999", 99_999_999_999_000, UInt64.max), ("start=100000000000", 100_000_000_000, UInt64.max),
            ("start=0&end=0", 0, 0), ("start=%31&nonsense=x&=&&", 1_000, UInt64.max),
        ])
    func times(text: String, start: UInt64, end: UInt64) throws {
        #expect(try query(text).request.range == start...end)
    }

    @Test(
        "what makes no sense is refused by name",
        arguments: [
            ("start=x", "start"), ("start=", "start"), ("start=-1", "start"), ("start=1.5", "start"),
            ("start=+1", "start"),
            ("start=1e3", "start"), ("end=18446744073709551616", "end"), ("end=0x10", "end"),
            ("start=1361407200001&end=1361407200000", "start"), ("start=1&start=1", "start"), ("limit=0", "limit"),
            ("limit=10001", "limit"), ("limit=-1", "limit"), ("limit=a", "limit"), ("order=up", "order"),
            ("order=", "order"), ("cursor=abc", "cursor"), ("cursor=", "cursor"), ("follow=yes", "follow"),
            ("follow=1&limit=5", "follow"),
        ])
    func refusals(text: String, name: String) {
        #expect {
            try query(text)
        } throws: { error in
            guard let problem = error as? Problem else { return false }
            return problem.status == .badRequest && problem.extras.first?.value == .text(name)
        }
    }

    @Test("the rest is taken as it stands")
    func others() throws {
        let query = try query("order=arrival&limit=10000")
        #expect(query.request.order == .arrival)
        #expect(query.request.limit == 10_000)
        #expect(!query.follows)
        #expect(try self.query("follow=1").follows)
        #expect(try self.query("follow=true").follows)
        #expect(try !self.query("follow=false").follows)
    }

    @Test("the link to the next page keeps the query and replaces the cursor")
    func replacing() {
        let parameters = QueryParameters("start=1&cursor=old&limit=2&x=%26")
        #expect(parameters.replacing("cursor", with: "new") == "start=1&limit=2&x=%26&cursor=new")
        #expect(QueryParameters("x=<a>").replacing("cursor", with: "c") == "x=%3Ca%3E&cursor=c")
        #expect(QueryParameters(nil).replacing("cursor", with: "c") == "cursor=c")
    }

    @Test("escapes are decoded, broken ones stand for themselves")
    func escapes() throws {
        let parameters = QueryParameters("a%62=c%20d+e&f=%4&g=%zz")
        #expect(try parameters.value("ab") == "c d e")
        #expect(try parameters.value("f") == "%4")
        #expect(try parameters.value("g") == "%zz")
    }
}

@Suite("Accept")
struct EventFormTests {
    @Test(
        "the best form wins",
        arguments: [
            ([], EventForm.rows), (["*/*"], .rows), (["application/json"], .rows), (["application/x-ndjson"], .lines),
            (["application/x-ndjson, */*"], .lines), (["application/json, application/x-ndjson"], .rows),
            (["application/json;q=0.5, application/x-ndjson"], .lines), (["text/html, */*;q=0.8"], .rows),
            (["application/*"], .rows), (["Application/X-NDJSON ; q=1"], .lines),
            (["application/json;q=0, */*"], .lines), (["text/html"], nil), (["application/json;q=0"], nil),
            (["text/html", "application/x-ndjson"], .lines),
        ])
    func negotiation(values: [String], form: EventForm?) {
        #expect(EventForm(accept: values) == form)
    }

    @Test(
        "Accept-Encoding asks for Zstandard or does not",
        arguments: [
            ([], false), ([""], false), (["zstd"], true), (["ZSTD"], true), (["gzip, zstd"], true), (["gzip"], false),
            (["*"], true), (["*;q=0"], false), (["zstd;q=0"], false), (["zstd;q=0, *"], false),
            (["zstd; q=0.001"], true), (["*;q=0, zstd"], true), (["identity"], false), (["identity, zstd"], true),
            (["identity, zstd;q=0.5"], false), (["identity;q=0.5, zstd;q=0.5"], true), (["identity;q=0, *"], true),
            (["gzip;q=1", "zstd;q=0.2"], true), (["xzstd"], false), (["br , zstd ; q = 1"], true),
        ])
    func contentCoding(values: [String], isWanted: Bool) {
        #expect(ContentCoding.wantsZstandard(values) == isWanted)
    }
}
