import TestSupport
import Testing

@testable import WebAPI

@Suite("metrics of user metadata")
struct UserMetricsTests {
    @Test("both streams are told, and how much the views know")
    func streams() async throws {
        try await UserServer.run { server in
            let device = #"{"username":"ann","device_info":{"id":"a"}}"#
            for body in [device, device.replacing(#""a""#, with: #""b""#), #"{"username":"bob"}"#] {
                #expect(try await server.call("add_log", body).status == 200)
            }
            #expect(try await server.call("set_last_login", #"{"username":"ann","service":"imap"}"#).status == 200)
            let text = try await server.ask(TestRequest("GET", "/metrics")).text
            for line in [
                #"daybook_stored_events{stream="logins",kind="hot"} 3"#,
                #"daybook_stored_events{stream="last-logins",kind="hot"} 1"#,
                #"daybook_view_users{view="devices"} 1"#, #"daybook_view_rows{view="devices"} 2"#,
                #"daybook_view_users{view="last-logins"} 1"#, #"daybook_view_rows{view="last-logins"} 1"#,
            ] { #expect(text.contains(line + "\n"), "\(line)") }
        }
    }
}
