import SegmentFormat
import Testing

@testable import UserMetadata

@Suite("The check of a device")
struct DeviceCheckTests {
    struct Login: Sendable {
        let device: String
        let zone: String?
        let daysAgo: UInt64
        let times: Int

        init(_ device: String, _ zone: String?, _ daysAgo: UInt64, times: Int = 1) {
            (self.device, self.zone, self.daysAgo, self.times) = (device, zone, daysAgo, times)
        }
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let history: [Login]
        let device: String?
        let zone: String?
        let seen: Bool
        let matches: Bool
        let zones: [String]
        let risks: [DeviceCheck.Risk]

        init(
            _ description: String, _ history: [Login], _ device: String?, _ zone: String?, seen: Bool, matches: Bool,
            zones: [String], _ risks: DeviceCheck.Risk...
        ) {
            testDescription = description
            (self.history, self.device, self.zone, self.seen) = (history, device, zone, seen)
            (self.matches, self.zones, self.risks) = (matches, zones, risks)
        }
    }

    private static let cases: [Case] = [
        Case("nobody knows the user", [], "a", "DE", seen: false, matches: false, zones: [], .newUser),
        Case("same device, same place", [Login("a", "DE", 1)], "a", "DE", seen: true, matches: true, zones: ["DE"]),
        Case(
            "another device, same place", [Login("a", "DE", 1)], "b", "DE", seen: false, matches: true,
            zones: ["DE"], .newDevice),
        Case(
            "same device, another place", [Login("a", "DE", 1)], "a", "FR", seen: true, matches: false,
            zones: ["DE"], .newCountry),
        Case(
            "another device, another place", [Login("a", "DE", 1)], "b", "FR", seen: false, matches: false,
            zones: ["DE"], .newDevice, .newCountry),
        Case(
            "the place of another device is one of the user's", [Login("a", "DE", 1), Login("b", "FR", 2)], "a", "FR",
            seen: true, matches: true, zones: ["DE", "FR"]),
        Case("no place given", [Login("a", "DE", 1)], "a", nil, seen: true, matches: false, zones: ["DE"]),
        Case("no place known", [Login("a", nil, 1)], "a", "DE", seen: true, matches: false, zones: []),
        Case("no device id", [Login("a", "DE", 1)], nil, "DE", seen: false, matches: true, zones: ["DE"], .newDevice),
        Case("90 days are not dormant", [Login("a", nil, 90)], "a", nil, seen: true, matches: false, zones: []),
        Case("91 days are", [Login("a", nil, 91)], "a", nil, seen: true, matches: false, zones: [], .dormantDevice),
        Case("once in a place: 29 days", [Login("a", "DE", 29)], "a", "DE", seen: true, matches: true, zones: ["DE"]),
        Case("once in a place: 30 days", [Login("a", "DE", 30)], "a", "DE", seen: true, matches: false, zones: ["DE"]),
        Case(
            "8 times: 119 days", [Login("a", "DE", 119, times: 8)], "a", "DE", seen: true, matches: true,
            zones: ["DE"], .dormantDevice),
        Case(
            "8 times: 120 days", [Login("a", "DE", 120, times: 8)], "a", "DE", seen: true, matches: false,
            zones: ["DE"], .dormantDevice),
        Case(
            "times of all devices add up", [Login("a", "DE", 70, times: 2), Login("b", "DE", 80, times: 2)], "a", "DE",
            seen: true, matches: true, zones: ["DE"]),
        Case(
            "a new place of today before an old one of many days",
            [Login("a", "DE", 200, times: 60), Login("a", "FR", 0, times: 1)], "a", "DE", seen: true, matches: false,
            zones: ["FR", "DE"]),
        Case(
            "of equal weight the later one, then the name",
            [Login("a", "IT", 3), Login("a", "FR", 3), Login("a", "DE", 4)], "a", "IT", seen: true, matches: true,
            zones: ["FR", "IT", "DE"]),
        Case("the clock went back", [Login("a", "DE", 0)], "a", "DE", seen: true, matches: true, zones: ["DE"]),
    ]

    @Test("seen, place, zones and risks follow from the history", arguments: cases)
    func check(_ example: Case) {
        var view = DeviceView(seed: 1)
        for login in example.history {
            for _ in 0..<login.times {
                view.fold(
                    LogEntry("ann", device: login.device, at: testNow - login.daysAgo * 86_400_000, zone: login.zone))
            }
        }
        let device = DeviceInfo(
            id: example.device.map { testKey.device(utf8($0)) }, zone: example.zone.map(utf8))
        let check = DeviceCheck(
            device, history: view.devices(of: utf8("ann")), now: Bucket(milliseconds: testNow))
        #expect((check.known != nil) == example.seen)
        #expect(check.locationMatches == example.matches)
        #expect(check.zones.map(text) == example.zones)
        #expect(check.risks == example.risks)
    }

    @Test("a clock behind the history counts no days")
    func backwards() {
        var view = DeviceView(seed: 1)
        view.fold(LogEntry("ann", device: "d", at: testNow, zone: "DE"))
        let check = DeviceCheck(
            DeviceInfo(id: testKey.device(utf8("d")), zone: utf8("DE")), history: view.devices(of: utf8("ann")),
            now: Bucket(milliseconds: 1))
        #expect(check.locationMatches)
        #expect(check.risks.isEmpty)
    }
}

@Suite("Answers")
struct AnswerTests {
    private var view: DeviceView {
        var view = DeviceView(seed: 1)
        view.fold(LogEntry("ann", device: "d", at: testNow - 3_600_000, zone: "DE"))
        view.fold(LogEntry("ann", device: "d", at: testNow, zone: "FR", browser: "x"))
        return view
    }

    @Test("devices")
    func devices() {
        let id = testKey.device(utf8("d")).hex
        #expect(
            text(Answers.devices(view.devices(of: utf8("ann"))))
                == #"{"devices":[{"device_info":{"id":"\#(id)","remote_zone":"FR","browser":"x"},"#
                + #""first_seen":"2026-11-21T09:00:00Z","last_seen":"2026-11-21T10:00:00Z","num_logins":2}]}"#)
        #expect(text(Answers.devices([])) == #"{"devices":[]}"#)
    }

    @Test("the check of a device")
    func check() {
        let now = Bucket(milliseconds: testNow)
        let history = view.devices(of: utf8("ann"))
        let known = DeviceCheck(DeviceInfo(id: testKey.device(utf8("d")), zone: utf8("DE")), history: history, now: now)
        #expect(
            text(Answers.check(known))
                == #"{"seen":true,"first_seen":"2026-11-21T09:00:00Z","last_seen":"2026-11-21T10:00:00Z","#
                + #""num_logins":2,"location_match":true,"known_zones":["FR","DE"],"risk":[]}"#)
        let stranger = DeviceCheck(DeviceInfo(zone: utf8("IT")), history: history, now: now)
        #expect(
            text(Answers.check(stranger))
                == #"{"seen":false,"num_logins":0,"location_match":false,"known_zones":["FR","DE"],"#
                + #""risk":["new_device","new_country"]}"#)
    }

    @Test("lists come as result and results")
    func lists() {
        let logs = Answers.logs([utf8("{}"), utf8(#"{"a":1}"#)])
        #expect(text(logs) == #"{"result":[{},{"a":1}],"results":[{},{"a":1}]}"#)
        #expect(text(Answers.logs([], cursor: utf8("c"))) == #"{"result":[],"results":[],"cursor":"c"}"#)
        let login = LastLogin(bucket: Bucket(milliseconds: testNow), username: utf8("a"), service: utf8("s"))
        let entry = #"{"timestamp":"2026-11-21T10:00:00Z","username":"a","service":"s"}"#
        #expect(text(Answers.lastLogins([login])) == #"{"result":[\#(entry)],"results":[\#(entry)]}"#)
        #expect(text(Answers.lastLogins([])) == #"{"result":[],"results":[]}"#)
    }

    @Test("unused accounts")
    func unused() {
        #expect(text(Answers.unused(UnusedAccounts(usernames: [utf8("a\"")]))) == #"{"unused_usernames":["a\""]}"#)
        #expect(
            text(Answers.unused(UnusedAccounts(usernames: [utf8("a")], next: utf8("a"))))
                == #"{"unused_usernames":["a"],"cursor":"a"}"#)
        #expect(text(Answers.empty) == "{}")
    }
}
