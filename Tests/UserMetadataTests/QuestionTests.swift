import SegmentFormat
import TestSupport
import Testing

@testable import UserMetadata

@Suite("Bodies of the calls that ask")
struct QuestionTests {
    @Test("what is not asked for has its default")
    func userLogs() throws {
        let short = try withBytes(#"{"USERNAME":"a","max_days":null}"#) { try UserLogsQuestion($0) }
        #expect((short.username, short.maxDays, short.limit, short.cursor) == (utf8("a"), nil, 100, nil))
        #expect(short.since(now: testNow, resolution: hour) == .earliest)
        let long = try withBytes(#"{"username":"a","max_days":2,"limit":1000,"cursor":"c"}"#) {
            try UserLogsQuestion($0)
        }
        #expect((long.maxDays, long.limit, long.cursor) == (2, 1_000, utf8("c")))
        #expect(long.since(now: testNow + 1, resolution: hour).milliseconds == testNow - 2 * 86_400_000)
    }

    @Test(
        "numbers outside their bounds are refused by name",
        arguments: [
            (#"{"username":"a","limit":0}"#, "limit"), (#"{"username":"a","limit":1001}"#, "limit"),
            (#"{"username":"a","limit":1.0}"#, "limit"), (#"{"username":"a","limit":1e1}"#, "limit"),
            (#"{"username":"a","limit":"5"}"#, "limit"), (#"{"username":"a","limit":-1}"#, "limit"),
            (#"{"username":"a","max_days":0}"#, "max_days"), (#"{"username":"a","max_days":36526}"#, "max_days"),
            (#"{"username":"a","limit":99999999999999999999999}"#, "limit"), (#"{"limit":1}"#, "username"),
            (#"{"username":"a","cursor":""}"#, "cursor"),
        ])
    func numbers(body: String, field: String) {
        #expect(refusal(body) { (bytes) throws(BodyFault) in try UserLogsQuestion(bytes) }?.field == field)
    }

    @Test("a question about a device sees what would be stored of it")
    func device() throws {
        let body = #"{"username":"a","device_info":{"id":"d1","remote_addr":"192.0.2.7:443"}}"#
        let question = try withBytes(body) { try DeviceQuestion($0, door) }
        #expect(question.device == DeviceInfo(id: testKey.device(utf8("d1")), zone: utf8("DE")))
        let bare = try withBytes(#"{"username":"a","device_info":{}}"#) { try DeviceQuestion($0, door) }
        #expect(bare.device == DeviceInfo())
        let fault = refusal(#"{"username":"a"}"#) { (bytes) throws(BodyFault) in try DeviceQuestion(bytes, door) }
        #expect(fault?.field == "device_info")
    }

    @Test("unused accounts are asked for by names, or all")
    func unused() throws {
        let named = try withBytes(#"{"usernames":["a","\u0062"],"days":30,"service":"s"}"#) {
            try UnusedAccountsQuestion($0)
        }
        #expect(named.usernames == [utf8("a"), utf8("b")])
        #expect((named.days, named.service) == (30, utf8("s")))
        #expect(try withBytes(#"{"usernames":[],"days":1}"#) { try UnusedAccountsQuestion($0) }.usernames == [])
        #expect(try withBytes(#"{"days":1}"#) { try UnusedAccountsQuestion($0) }.usernames == nil)
    }

    @Test(
        "unused accounts need days above 0 and names that are strings",
        arguments: [
            (#"{"usernames":["a"]}"#, "days"), (#"{"usernames":["a"],"days":0}"#, "days"),
            (#"{"usernames":"a","days":1}"#, "usernames"), (#"{"usernames":["a",7],"days":1}"#, "usernames"),
            (#"{"usernames":[""],"days":1}"#, "usernames"), (#"{"usernames":[["a"]],"days":1}"#, "usernames"),
        ])
    func unusedRefused(body: String, field: String) {
        #expect(refusal(body) { (bytes) throws(BodyFault) in try UnusedAccountsQuestion(bytes) }?.field == field)
    }

    @Test("a user alone, and a user with a service")
    func users() throws {
        #expect(try withBytes(#"{"user_name":"ü"}"#) { try UserQuestion($0) }.username == utf8("ü"))
        let login = try withBytes(#"{"username":"a","service":"s"}"#) { try LastLoginQuestion($0) }
        #expect((login.username, login.service) == (utf8("a"), utf8("s")))
        #expect(try withBytes(#"{"username":"a"}"#) { try LastLoginQuestion($0) }.service == nil)
    }
}

@Suite("Timestamps of RFC 3339")
struct RFC3339Tests {
    @Test(
        "every legal form is read",
        arguments: [
            ("1970-01-01T00:00:00Z", UInt64(0)), ("2026-11-21T10:00:00Z", testNow), ("2026-11-21t10:00:00z", testNow),
            ("2026-11-21 10:00:00Z", testNow), ("2026-11-21T10:00:00.5Z", testNow + 500),
            ("2026-11-21T10:00:00.123456789Z", testNow + 123), ("2026-11-21T11:30:00+01:30", testNow),
            ("2026-11-20T23:00:00-11:00", testNow), ("2026-11-21T10:00:00-00:00", testNow),
            ("2024-02-29T00:00:00Z", 1_709_164_800_000), ("2000-02-29T00:00:00Z", 951_782_400_000),
            ("2016-12-31T23:59:60Z", 1_483_228_799_999), ("2017-01-01T01:59:60.7+02:00", 1_483_228_799_999),
            ("1969-12-31T23:00:00-01:00", 0), ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
        ])
    func legal(text: String, moment: UInt64) { #expect(RFC3339.read(utf8(text)) == .moment(moment)) }

    @Test(
        "anything else is not",
        arguments: [
            "", "2026-11-21", "2026-11-21T10:00:00", "2026-11-21T10:00Z", "2026-11-21T10:00:00.Z",
            "2026-11-21T10:00:00,5Z", "2026-11-21T10:00:00+0100", "2026-11-21T10:00:00+24:00",
            "2026-11-21T10:00:00+01:60", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-02-29T00:00:00Z",
            "1900-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-11-00T00:00:00Z", "2026-11-21T24:00:00Z",
            "2026-11-21T10:60:00Z", "2026-11-21T10:00:61Z", "2026-11-21T10:00:60Z", "2026-11-21T10:00:00Z ",
            " 2026-11-21T10:00:00Z", "2026-11-21T10:00:00ZZ", "1969-12-31T23:59:59Z", "0001-01-01T00:00:01Z",
            "+2026-11-21T10:00:00Z", "20261121T100000Z", "9999-12-31T23:59:59-00:01", "２026-11-21T10:00:00Z",
        ])
    func illegal(text: String) { #expect(RFC3339.read(utf8(text)) == nil) }

    @Test("Go's zero time is no time")
    func zero() { #expect(RFC3339.read(utf8("0001-01-01T00:00:00Z")) == .zero) }

    @Test("what is written is read again")
    func roundTrip() {
        var random = SeededRandom(seed: 3)
        for _ in 0..<2_000 {
            let moment = random.next() % 253_402_300_800_000
            #expect(RFC3339.read(utf8(RFC3339.text(of: moment))) == .moment(moment))
        }
        #expect(RFC3339.text(of: testNow) == "2026-11-21T10:00:00Z")
        #expect(RFC3339.text(of: 7) == "1970-01-01T00:00:00.007Z")
    }
}
