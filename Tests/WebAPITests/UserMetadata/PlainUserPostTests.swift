import LogEngine
import TestSupport
import Testing
import UserMetadata

@testable import WebAPI

@Suite("plain POSTs of user metadata")
struct PlainUserPostTests {
    private static let device = #"{"id":"d","remote_zone":"DE"}"#

    /// A type with a charset is for the parser; the answers are the same but for the date.
    private static func ask(
        _ server: UserServer, _ call: String, _ body: String, plainly: Bool
    ) async throws -> String {
        let type = "application/json" + (plainly ? "" : "; charset=utf-8")
        let reply = try await server.call(call, body, type: type)
        let names = ["content-type", "content-length", "cache-control"]
        return "\(reply.status) \(names.map { reply.fields[$0] ?? "none" }) \(reply.text)"
    }

    @Test("each is answered as it is on the way of all others, what is refused too")
    func same() async throws {
        let questions = [
            ("add_log", #"{"username":"ann","device_info":\#(Self.device)}"#), ("add_log", #"{"user":"ann"}"#),
            ("add_log", "{}"), ("add_log", "nonsense"), ("set_last_login", #"{"username":"ann","service":"imap"}"#),
            ("set_last_login", #"{"username":"ann","service":"imap"}"#), ("set_last_login", #"{"username":"ann"}"#),
            ("check_device", #"{"username":"ann","device_info":\#(Self.device)}"#), ("check_device", "[]"),
            ("get_last_login", #"{"username":"ann"}"#), ("get_last_login", #"{"username":"bob"}"#),
            ("get_user_devices", #"{"username":"ann"}"#), ("get_user_logs", #"{"username":"ann"}"#),
            ("erase_user", #"{"username":"ann"}"#), ("get_user_devices", #"{"username":"ann"}"#),
        ]
        var answers: [Bool: [String]] = [:]
        var accepted: [Int] = []
        for plainly in [true, false] {
            try await UserServer.run { server in
                for (call, body) in questions {
                    answers[plainly, default: []].append(try await Self.ask(server, call, body, plainly: plainly))
                }
                accepted.append(server.counters.accepted)
            }
        }
        #expect(answers[true] == answers[false])
        #expect(accepted == [3, 3])
    }

    @Test(
        "what one read brings is answered in its order, and all of it, though the client's side ends with it",
        arguments: [5, 6])
    func pipelined(count: Int) async throws {
        try await UserServer.run { server in
            let calls = [
                ("get_user_devices", #"{"username":"ann"}"#, "application/json"),
                ("get_last_login", #"{"username":"ann"}"#, "application/json"),
                ("add_log", #"{"username":"ann","device_info":\#(Self.device)}"#, "application/json"),
                ("get_user_devices", #"{"username":"ann"}"#, "application/json"),
                ("check_device", #"{"username":"ann","device_info":\#(Self.device)}"#, "application/json"),
                ("get_user_devices", #"{"username":"bob"}"#, "application/json; charset=utf-8"),
            ]
            let requests = calls.prefix(count).map { call, body, type in
                TestRequest("POST", "/api/\(call)", [("content-type", type)], body: body).bytes
            }
            let connection = try RawConnection(server.port)
            try connection.send(requests.flatMap { $0 })
            connection.finish()
            let replies = try await Blocking.run { try requests.map { _ in try connection.readReply().text } }
            #expect(replies[0] == #"{"devices":[]}"# && [replies[0], replies[4]].contains(replies[count - 1]))
            #expect(replies[1] == #"{"result":[],"results":[]}"#)
            #expect(replies[2] == "{}")
            #expect(replies[3].contains(#""num_logins":1"#))
            #expect(replies[4].hasPrefix(#"{"seen":true"#))
            #expect(try await Blocking.run { try connection.isAtEnd() })
        }
    }

    @Test("only calls of one entry, and those that are answered from memory, have the short way")
    func forms() {
        #expect(PlainUsers.forms.map(\.0) == [.addLog, .checkDevice, .lastLogin, .setLastLogin, .userDevices])
        for (call, form) in PlainUsers.forms {
            #expect(form.path == call.path && form.method == .post && form.type?.description == "application/json")
        }
    }
}
