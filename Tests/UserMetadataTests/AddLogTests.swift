import SegmentFormat
import Testing

@testable import UserMetadata

@Suite("Bodies of add_log")
struct AddLogTests {
    private static let stored = #"{"timestamp":"2026-11-21T10:00:00Z","username":"ann","type":"login"}"#

    @Test(
        "keys match in any case and by their aliases; bare or wrapped; null is absent; what is unknown is ignored",
        arguments: [
            #"{"username":"ann","type":"login"}"#,
            #"{"UserName":"ann","TYPE":"login"}"#,
            #"{"user":"ann","log_type":"login"}"#,
            #"{"user_name":"ann","LogType":1,"Log_Type":"login"}"#,
            #"{"user\u006eame":"ann","t\u0059pe":"login"}"#,
            #"{"log":{"username":"ann","type":"login"}}"#,
            #"{"LOG":{"Username":"ann","Log_Type":"login"},"other":[1,{"username":"bob"}]}"#,
            #" { "username" : "ann" , "type" : "login" , "service" : null , "x" : {"y":[null]} } "#,
            #"{"username":"ann","username":null,"type":"login","message":"","device_info":null}"#,
            #"{"username":"ann","log":{"username":"bob"},"type":"login"}"#,
            #"{"username":"\u0061nn","type":"login","timestamp":"2026-11-21T10:59:59.999Z"}"#,
            #"{"username":"ann","type":"login","timestamp":"0001-01-01T00:00:00Z"}"#,
            #"{"username":"ann","type":"login","device_info":{}}"#,
        ])
    func tolerance(body: String) { #expect(addLog(body) == .success(Self.stored)) }

    @Test("every field is stored, in one order, whatever the order it came in")
    func canonical() {
        let body = #"""
            {"device_info":{"mobile":false,"os":"Linux","browser":"Firefox","user_agent":"Mozilla/5.0 \"x\"\n",
             "remote_zone":"IT","id":"d1"},"message":"m\u00e9 / \u0001","login_method":"otp","service":"imap",
             "timestamp":"2026-11-21T12:34:56+01:00","type":"login","username":"a\\b"}
            """#
        let id = testKey.device(utf8("d1")).hex
        let line =
            #"{"timestamp":"2026-11-21T11:00:00Z","username":"a\\b","type":"login","service":"imap","#
            + #""login_method":"otp","message":"mé / \u0001","device_info":{"id":"\#(id)","remote_zone":"IT","#
            + #""user_agent":"Mozilla/5.0 \"x\"\u000a","browser":"Firefox","os":"Linux","mobile":false}}"#
        #expect(addLog(body) == .success(line))
    }

    @Test(
        "a refusal names the field and where it lies",
        arguments: [
            (#"{"type":"login"}"#, "missing_field", "username", 0),
            (#"{"log":{"type":"login"}}"#, "missing_field", "log.username", 0),
            (#"{"username":""}"#, "invalid_field", "username", 12),
            (#"{"username":7}"#, "invalid_field", "username", 12),
            (#"{"username":"a","user":"b"}"#, "duplicate_field", "username", 23),
            (#"{"username":"a","USERNAME":"b"}"#, "duplicate_field", "username", 27),
            (#"{"username":"a","type":"log in"}"#, "invalid_field", "type", 23),
            (#"{"username":"a","timestamp":1}"#, "invalid_field", "timestamp", 28),
            (#"{"username":"a","timestamp":"yesterday"}"#, "invalid_field", "timestamp", 28),
            (#"{"username":"a","device_info":"d"}"#, "invalid_field", "device_info", 30),
            (#"{"username":"a","device_info":{"mobile":1}}"#, "invalid_field", "device_info.mobile", 40),
            (#"{"log":{"username":"a","device_info":{"id":{}}}}"#, "invalid_field", "log.device_info.id", 43),
            (#"{"log":[]}"#, "invalid_field", "log", 7),
            (#"{"username":"a"}}"#, "trailing_bytes", "", 16),
            (#"{"username":"a","x":01}"#, "invalid_number", "", 21),
            (#"["username"]"#, "not_an_object", "", 0),
            (#"{"username":"\ud800"}"#, "lone_surrogate", "", 13),
            ("", "unexpected_end", "", 0),
            ("  ", "unexpected_end", "", 2),
        ])
    func refused(body: String, token: String, field: String, offset: Int) {
        guard case .failure(let fault) = addLog(body) else {
            Issue.record("\(body) was taken")
            return
        }
        #expect(fault.token == token)
        #expect(fault.field == field)
        #expect(fault.offset == offset)
        #expect(fault.description.contains(field) && !fault.description.contains("event"))
    }

    @Test("what is invalid UTF-8 or nested too deep is refused even where nobody reads it")
    func bounds() {
        let deep = String(repeating: "[", count: 64) + String(repeating: "]", count: 64)
        #expect(refusedToken(#"{"username":"a","x":\#(deep)}"#) == "too_deep")
        let long = String(repeating: "u", count: 1_025)
        #expect(refusedToken(#"{"username":"\#(long)"}"#) == "invalid_field")
        let bytes = utf8(#"{"username":"a","x":""#) + [0xFF] + utf8("\"}")
        #expect(throws: BodyFault(.json(.invalidUTF8), at: 21)) {
            try bytes.withUnsafeBytes { try door.addLog($0, now: testNow) }
        }
    }

    private func refusedToken(_ body: String) -> String? {
        guard case .failure(let fault) = addLog(body) else { return nil }
        return fault.token
    }

    @Test(
        "a stored line reads back as the entry that it is of, and the view takes of it what describes the device",
        arguments: [
            ("", ""), (#","device_info":{}"#, ""), (#","device":{"id":"d"}"#, ""),
            (#","device":{"remote_zone":"DE"}"#, ""),
            (#","device":{"remote_addr":"198.51.100.1","user_agent":"198.51.100.1"}"#, ""),
            (#","device":{"browser":"x\u0022\\\n"}"#, #""browser":"x\"\\\u000a""#),
            (#","device":{"OS":"Linux","id":"d","mobile":false}"#, #""os":"Linux","mobile":false"#),
            (
                #","device":{"mobile":true,"user_agent":"a 198.51.100.1/3.0.0.0","remote_zone":"D\u0045","id":"\u0064"}"#,
                #""user_agent":"a [address]/3.0.0.0","mobile":true"#
            ),
        ])
    func roundTrip(device: String, description: String) throws {
        let body = #"{"username":"\u0061nn","type":"login","message":"é\t"\#(device)}"#
        let entry = try withBytes(body) { try door.addLog($0, now: testNow) }
        let read = try entry.line.withUnsafeBytes { try LogEntry(stored: $0) }
        #expect(read == entry)
        #expect(text(entry.descriptionText) == description)
        #expect(entry.username == utf8("ann"))
        let id = device.contains("\"id\"") ? testKey.device(utf8("d")) : nil
        #expect(entry.device?.id == id)
    }
}

@Suite("Bodies of add_logs and set_last_login")
struct BatchBodyTests {
    private func addLogs(
        _ body: String, isNDJSON: Bool = false, atMost most: Int = 100
    ) -> Result<[String], BodyFault> {
        result(body) { (bytes) throws(BodyFault) in
            try door.addLogs(bytes, isNDJSON: isNDJSON, atMost: most, now: testNow).map { text($0.line) }
        }
    }

    private func line(_ name: String) -> String { #"{"timestamp":"2026-11-21T10:00:00Z","username":"\#(name)"}"# }

    @Test(
        "a list, a wrapped one, wrapped entries and lines are the same",
        arguments: [
            (#"[{"username":"a"},{"user":"b"}]"#, false), (#"{"logs":[{"username":"a"},{"username":"b"}]}"#, false),
            (#" [ {"log":{"username":"a"}} , {"Username":"b","x":[]} ] "#, false),
            ("{\"username\":\"a\"}\n\r\n{\"log\":{\"username\":\"b\"}}", true),
        ])
    func forms(body: String, isNDJSON: Bool) {
        #expect(addLogs(body, isNDJSON: isNDJSON) == .success([line("a"), line("b")]))
    }

    @Test(
        "of more entries than a batch has, one more is kept and no others",
        arguments: [
            (#"[{"user":"a"},{"user":"b"},{"user":"c"},{"user":""},{}]"#, false),
            (#"{"logs":[{"user":"a"},{"user":"b"},{"user":"c"},{"user":""}]}"#, false),
            ("{\"user\":\"a\"}\n{\"user\":\"b\"}\n{\"user\":\"c\"}\n{}\n", true),
        ])
    func more(body: String, isNDJSON: Bool) {
        #expect(addLogs(body, isNDJSON: isNDJSON, atMost: 2) == .success([line("a"), line("b"), line("c")]))
    }

    @Test(
        "a refusal names the entry",
        arguments: [
            (#"[{"username":"a"},{"user":7}]"#, false, 1, "invalid_field", 26),
            ("{\"username\":\"a\"}\n{\"user\":7}", true, 1, "invalid_field", 25),
            (#"[{"username":"a"},7]"#, false, 1, "not_an_object", 18),
        ])
    func entry(body: String, isNDJSON: Bool, entry: Int, token: String, offset: Int) {
        guard case .failure(let fault) = addLogs(body, isNDJSON: isNDJSON) else {
            Issue.record("taken")
            return
        }
        #expect(fault.entry == entry)
        #expect(fault.token == token)
        #expect(fault.offset == offset)
        #expect(fault.description.hasPrefix("entry \(entry), "))
    }

    @Test(
        "what is no list of entries is refused",
        arguments: [
            ("[]", "no_entries"), (#"{"logs":[]}"#, "no_entries"), (#"{"username":"a"}"#, "missing_field"),
            (#"{"logs":7}"#, "invalid_field"), ("7", "invalid_field"), (#"[{"username":"a"}] x"#, "trailing_bytes"),
            (#"[{"username":"a"}"#, "unexpected_end"), ("", "unexpected_end"),
        ])
    func noList(body: String, token: String) {
        guard case .failure(let fault) = addLogs(body) else {
            Issue.record("taken")
            return
        }
        #expect(fault.token == token)
    }

    @Test(
        "a last login is bare or wrapped; user and service have to be there",
        arguments: [
            (#"{"username":"a","service":"s"}"#, nil), (#"{"last_login":{"user":"a","SERVICE":"s"}}"#, nil),
            (#"{"username":"a","service":"s","timestamp":"2026-11-21T10:30:00Z"}"#, nil),
            (#"{"username":"a"}"#, "service"), (#"{"service":"s"}"#, "username"),
            (#"{"last_login":{"username":"a"}}"#, "last_login.service"),
            (#"{"username":"a","service":"192.0.2.1"}"#, "service"),
        ])
    func lastLogin(body: String, field: String?) {
        let line = #"{"timestamp":"2026-11-21T10:00:00Z","username":"a","service":"s"}"#
        switch result(body, { (bytes) throws(BodyFault) in try door.setLastLogin(bytes, now: testNow) }) {
        case .success(let login): #expect(field == nil && text(login.line) == line)
        case .failure(let fault): #expect(fault.field == field)
        }
    }
}
