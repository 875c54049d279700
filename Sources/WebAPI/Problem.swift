import HTTPTypes
import NIOCore

/// A request that cannot be answered as asked: what every endpoint throws, and the body that tells
/// the client (RFC 9457).
struct Problem: Error, Equatable {
    enum Extra: Equatable {
        case number(Int)
        case text(String)
        case list([String])
    }

    var status: HTTPResponse.Status
    /// What a client may match on, and what it is counted under.
    var reason: String
    /// A sentence for the person who sent the request.
    var detail: String
    var extras: [(name: String, value: Extra)] = []
    var fields: HTTPFields = [:]
    /// The rest of the body is not wanted, so the connection cannot be used again.
    var closesConnection = false
    /// What older clients get in place of the problem.
    var text: String?
    /// How many events were refused, where that is known better than from the lines of the body.
    var events: Int?

    init(_ status: HTTPResponse.Status, _ reason: String, _ detail: String) {
        self.status = status
        self.reason = reason
        self.detail = detail
    }

    static func == (a: Problem, b: Problem) -> Bool {
        a.status == b.status && a.reason == b.reason && a.detail == b.detail
    }

    /// `title` is the status phrase, as RFC 9457 wants it where `type` is `about:blank`.
    var body: ByteBuffer {
        var json = ByteBuffer()
        json.writeStaticString(#"{"type":"about:blank","title":"#)
        json.writeJSON(status.reasonPhrase)
        json.writeString(#","status":\#(status.code),"reason":"#)
        json.writeJSON(reason)
        json.writeStaticString(#","detail":"#)
        json.writeJSON(detail)
        for (name, value) in extras {
            json.writeStaticString(",")
            json.writeJSON(name)
            json.writeStaticString(":")
            switch value {
            case .number(let number): json.writeString(String(number))
            case .text(let text): json.writeJSON(text)
            case .list(let texts): json.writeJSON(texts)
            }
        }
        json.writeStaticString("}\n")
        return json
    }

    func closingConnection() -> Problem {
        var problem = self
        problem.closesConnection = true
        return problem
    }
}

extension ByteBuffer {
    /// Writes a JSON string, quoted and escaped.
    mutating func writeJSON(_ text: String) {
        writeInteger(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                writeInteger(UInt8(ascii: "\\"))
                writeInteger(byte)
            case 0..<0x20:
                writeString("\\u00" + (byte < 0x10 ? "0" : "") + String(byte, radix: 16))
            default:
                writeInteger(byte)
            }
        }
        writeInteger(UInt8(ascii: "\""))
    }

    /// Writes a JSON array of strings.
    fileprivate mutating func writeJSON(_ texts: [String]) {
        writeStaticString("[")
        for (index, text) in texts.enumerated() {
            if index > 0 { writeStaticString(",") }
            writeJSON(text)
        }
        writeStaticString("]")
    }
}
