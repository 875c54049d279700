import Glibc
import HTTPTypes

/// A request that a listener takes ahead of the parser, told by its first line.
struct PlainForm: Sendable {
    let method: HTTPRequest.Method
    let path: String
    /// The one that its body has to have, in lower case; `nil`: any one, or none.
    let type: StaticString?
    /// The first line, with its end.
    fileprivate let line: [UInt8]

    init(_ method: HTTPRequest.Method, _ path: String, type: StaticString? = nil) {
        (self.method, self.path, self.type) = (method, path, type)
        line = Array("\(method.rawValue) \(path) HTTP/1.1\r\n".utf8)
    }
}

/// Where a request begins and ends, if it is one that every reader of HTTP cuts in the same way: it is here whole, its
/// lines end in CR LF, its names and values are plain, and its length is told once, as a number; a GET has none.
/// Nothing is known of any other request, and nothing of it is left out or changed on its way to the parser.
struct PlainRequest: Equatable {
    /// Of the request line, the fields and the empty line behind them.
    let headBytes: Int
    let bodyBytes: Int
    private let lineBytes: Int

    var byteCount: Int { headBytes + bodyBytes }

    /// - Parameters:
    ///   - bytes: begin with the request; others may follow it.
    ///   - byteLimit: of a body.
    init?(_ bytes: UnsafeRawBufferPointer, _ form: PlainForm, _ limits: ConnectionLimits, byteLimit: Int) {
        guard bytes.begins(with: form.line) else { return nil }
        var fields = PlainFields(
            UnsafeRawBufferPointer(rebasing: bytes.prefix(limits.headerBytes)), from: form.line.count)
        var (count, hosts, types, lengths, body) = (0, 0, 0, 0, 0)
        while let field = fields.next() {
            count += 1
            switch PlainFieldName(field.name) {
            case .host: hosts += 1
            case .contentType:
                if let type = form.type, !field.value.isEqual(to: type) { return nil }
                types += 1
            case .contentLength:
                guard let count = field.value.number, count <= min(EventIntake.loopBytes, byteLimit) else { return nil }
                lengths += 1
                body = count
            case .connection:
                guard field.value.isEqual(to: "keep-alive") else { return nil }
            case .meaningful: return nil
            case .ignored: break
            }
        }
        let hasBody = form.method == .post
        guard let end = fields.end, hosts == 1, lengths == (hasBody ? 1 : 0),
            types == 1 || form.type == nil && types == 0,
            count <= limits.headerFields, bytes.count - end >= body
        else { return nil }
        (headBytes, bodyBytes, lineBytes) = (end, body, form.line.count)
    }

    /// - Parameter bytes: those that it was found in.
    func fields(in bytes: UnsafeRawBufferPointer) -> PlainFields {
        PlainFields(UnsafeRawBufferPointer(rebasing: bytes[..<headBytes]), from: lineBytes)
    }

    /// The request as others see it, for who asks who sent it.
    ///
    /// - Parameter bytes: those that it was found in.
    func head(_ form: PlainForm, in bytes: UnsafeRawBufferPointer) -> HTTPRequest {
        var head = HTTPRequest(method: form.method, scheme: nil, authority: nil, path: form.path)
        var fields = fields(in: bytes)
        while let field = fields.next() {
            let value = String(decoding: field.value, as: UTF8.self)
            if case .host = PlainFieldName(field.name) {
                head.authority = value
            } else if let name = HTTPField.Name(String(decoding: field.name, as: UTF8.self)) {
                head.headerFields.append(HTTPField(name: name, value: value))
            }
        }
        return head
    }
}

/// What a field is to the request that has it.
private enum PlainFieldName {
    case host
    case contentType
    case contentLength
    case connection
    /// Changes what the request means, or how it is cut.
    case meaningful
    /// Changes nothing.
    case ignored

    init(_ name: UnsafeRawBufferPointer) {
        switch name.count {
        case 4 where name.isEqual(to: "host"): self = .host
        case 12 where name.isEqual(to: "content-type"): self = .contentType
        case 14 where name.isEqual(to: "content-length"): self = .contentLength
        case 10 where name.isEqual(to: "connection"): self = .connection
        case 6 where name.isEqual(to: "expect"), 7 where name.isEqual(to: "upgrade") || name.isEqual(to: "trailer"),
            15 where name.isEqual(to: "idempotency-key"),
            16 where name.isEqual(to: "content-encoding") || name.isEqual(to: "daybook-delivery"),
            17 where name.isEqual(to: "transfer-encoding"):
            self = .meaningful
        default: self = .ignored
        }
    }
}

/// The fields of a header, as long as they are plain: a token, a colon, blanks, printable ASCII, CR LF.
struct PlainFields {
    private let bytes: UnsafeRawBufferPointer
    private var place: Int
    /// Behind the empty line that ends them, once that was met.
    fileprivate private(set) var end: Int?

    fileprivate init(_ bytes: UnsafeRawBufferPointer, from place: Int) {
        self.bytes = bytes
        self.place = place
    }

    /// `nil` at their end, and where they are not plain.
    mutating func next() -> (name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer)? {
        let name = skip { $0.isTokenByte }
        guard !name.isEmpty else {
            if skipLineEnd() { end = place }
            return nil
        }
        guard skip(UInt8(ascii: ":")) else { return nil }
        _ = skip { $0 == 0x20 || $0 == 0x09 }
        let value = skip { (0x20...0x7E).contains($0) || $0 == 0x09 }
        guard skipLineEnd() else { return nil }
        let length = value.lastIndex { $0 != 0x20 && $0 != 0x09 }.map { $0 + 1 } ?? 0
        return (name, UnsafeRawBufferPointer(rebasing: value[..<length]))
    }

    @inline(__always)
    private mutating func skip(while holds: (UInt8) -> Bool) -> UnsafeRawBufferPointer {
        let start = place
        while place < bytes.count, holds(bytes[place]) { place += 1 }
        return UnsafeRawBufferPointer(rebasing: bytes[start..<place])
    }

    private mutating func skip(_ byte: UInt8) -> Bool {
        guard place < bytes.count, bytes[place] == byte else { return false }
        place += 1
        return true
    }

    private mutating func skipLineEnd() -> Bool { skip(0x0D) && skip(0x0A) }
}

extension UInt8 {
    /// Of a `token` (RFC 9110 §5.6.2).
    fileprivate var isTokenByte: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
            UInt8(ascii: "!"), UInt8(ascii: "#")...UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"),
            UInt8(ascii: "^"), UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: "~"):
            true
        default: false
        }
    }
}

extension UnsafeRawBufferPointer {
    fileprivate func begins(with text: [UInt8]) -> Bool {
        guard let start = baseAddress, count > text.count else { return false }
        return memcmp(start, text, text.count) == 0
    }

    /// - Parameter text: in lower case; the bytes may be in any.
    func isEqual(to text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount else { return false }
        for (index, byte) in enumerated() {
            let isUpper = (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
            guard (isUpper ? byte | 0x20 : byte) == text.utf8Start[index] else { return false }
        }
        return true
    }

    /// Of one to six digits and nothing else.
    fileprivate var number: Int? {
        guard (1...6).contains(count), allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return reduce(0) { $0 * 10 + Int($1 & 0xF) }
    }
}
