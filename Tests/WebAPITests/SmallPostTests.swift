import HTTPTypes
import LogEngine
import Testing

@testable import WebAPI

@Suite("SmallPost")
struct SmallPostTests {
    private static let fields: [(String, String)] = [
        ("content-type", "application/x-ndjson"), ("content-length", "29"),
    ]

    private static func isTaken(_ method: String, _ path: String, _ fields: [(String, String)]) -> Bool {
        var head = HTTPRequest(method: .init(method) ?? .get, scheme: nil, authority: "test", path: path)
        for (name, value) in fields {
            guard let name = HTTPField.Name(name) else { return false }
            head.headerFields.append(HTTPField(name: name, value: value))
        }
        return SmallPost(head, byteLimit: Bounds.batchBytes) != nil
    }

    @Test("nothing but a POST of events is taken")
    func target() {
        #expect(Self.isTaken("POST", "/wsapi/interaction_data", Self.fields))
        for path in ["/wsapi/interaction_data/", "/wsapi/interaction_data?on_error=skip", "/wsapi/ping", "/", "*"] {
            #expect(!Self.isTaken("POST", path, Self.fields), "\(path)")
        }
        for method in ["GET", "HEAD", "PUT", "post"] {
            #expect(!Self.isTaken(method, "/wsapi/interaction_data", Self.fields), "\(method)")
        }
    }

    private struct Row {
        var isTaken: Bool
        var fields: [(String, String)]
    }

    @Test("what is not small, not NDJSON, or wants more than an answer is left alone")
    func head() {
        let (type, length) = (Self.fields[0], Self.fields[1])
        let rows = [
            Row(isTaken: true, fields: [("Content-Type", "Application/X-NDJSON; charset=utf-8"), length]),
            Row(isTaken: true, fields: [type, ("content-length", "0")]),
            Row(isTaken: true, fields: [type, ("content-length", "32768")]),
            Row(isTaken: true, fields: [type, length, ("connection", "Keep-Alive")]),
            Row(isTaken: true, fields: [type, length, ("idempotency-key", "a")]),
            Row(isTaken: false, fields: [type, ("content-length", "32769")]),
            Row(isTaken: false, fields: [type]),
            Row(isTaken: false, fields: [type, ("transfer-encoding", "chunked")]),
            Row(isTaken: false, fields: [length]),
            Row(isTaken: false, fields: [("content-type", "application/json"), length]),
            Row(isTaken: false, fields: [type, type, length]),
            Row(isTaken: false, fields: [type, length, ("expect", "100-continue")]),
            Row(isTaken: false, fields: [type, length, ("connection", "close")]),
            Row(isTaken: false, fields: [type, length, ("connection", "keep-alive"), ("connection", "close")]),
            Row(isTaken: false, fields: [type, length, ("idempotency-key", "")]),
            Row(isTaken: false, fields: [type, length, ("idempotency-key", "a"), ("idempotency-key", "b")]),
        ]
        for row in rows {
            #expect(Self.isTaken("POST", "/wsapi/interaction_data", row.fields) == row.isTaken, "\(row.fields)")
        }
    }
}
