import Glibc
import NIOPosix

/// Threads for calls that block, so that tests do not take those of the server.
enum Blocking {
    private static let pool: NIOThreadPool = {
        let pool = NIOThreadPool(numberOfThreads: 32)
        pool.start()
        return pool
    }()

    static func run<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await pool.runIfActive(body)
    }
}

struct TestRequest: Sendable {
    var method: String
    var target: String
    var fields: [(String, String)]
    var body: String?
    /// A body that is sent as one chunk.
    var chunks: String?

    init(_ method: String, _ target: String, _ fields: [(String, String)] = [], body: String? = nil) {
        self.method = method
        self.target = target
        self.fields = fields
        self.body = body
    }

    static func events(_ body: String, _ fields: [(String, String)] = []) -> TestRequest {
        let type = fields.contains { $0.0 == "content-type" } ? [] : [("content-type", "application/x-ndjson")]
        return TestRequest("POST", "/wsapi/interaction_data", type + fields, body: body)
    }

    var bytes: [UInt8] {
        let length = body.map { [("content-length", String($0.utf8.count))] } ?? []
        let head = (fields + length).map { "\($0.0): \($0.1)\r\n" }.joined()
        let chunk = chunks.map { "\(String($0.utf8.count, radix: 16))\r\n\($0)\r\n0\r\n\r\n" }
        return Array("\(method) \(target) HTTP/1.1\r\nhost: test\r\n\(head)\r\n\(body ?? chunk ?? "")".utf8)
    }
}

extension TestRequest {
    /// What it is answered on a connection of its own.
    func reply(from port: Int) async throws -> Reply {
        try await Blocking.run {
            let connection = try RawConnection(port)
            try connection.send(bytes)
            return try connection.readReply(toHead: method == "HEAD")
        }
    }
}

struct Reply: Sendable {
    var status = 0
    /// By lower-case name.
    var fields: [String: String] = [:]
    var body: [UInt8] = []
    var trailer: [String: String] = [:]

    var text: String { String(decoding: body, as: UTF8.self) }
    var lines: [String] { text.split(separator: "\n").map(String.init) }
    /// Where the next page is.
    var next: String? {
        fields["link"].flatMap { link in
            guard link.hasPrefix("<"), link.hasSuffix(#">; rel="next""#) else { return nil }
            return String(link.dropFirst().prefix { $0 != ">" })
        }
    }
}

extension RawConnection {
    /// The statuses of all answers of a connection that the server closes.
    static func statuses(from port: Int, to text: String) async throws -> [Int] {
        try await Blocking.run {
            let connection = try RawConnection(port)
            try connection.send(text)
            var statuses: [Int] = []
            while try !connection.isAtEnd() { statuses.append(try connection.readReply().status) }
            return statuses
        }
    }
}

/// The server closed the connection in the middle of something.
struct ConnectionEnded: Error {}

/// A blocking HTTP/1.1 client that hides nothing. One thread at a time.
final class RawConnection: @unchecked Sendable {
    private let descriptor: Int32
    private var pending: [UInt8] = []
    private var start = 0

    /// - Parameter receiveBytes: how much the kernel may take in before anyone reads.
    init(_ port: Int, receiveBytes: Int32? = nil) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        if var receiveBytes {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &receiveBytes, socklen_t(MemoryLayout<Int32>.size))
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw ConnectionEnded() }
    }

    deinit { Glibc.close(descriptor) }

    /// Says that nothing more will be sent.
    func finish() { shutdown(descriptor, Int32(SHUT_WR)) }

    func send(_ text: String) throws { try send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress.map { $0 + sent }, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw ConnectionEnded() }
            sent += count
        }
    }

    private func readMore() throws {
        if start == pending.count { (pending, start) = ([], 0) }
        var part = [UInt8](repeating: 0, count: 64 << 10)
        let count = recv(descriptor, &part, part.count, 0)
        guard count > 0 else { throw ConnectionEnded() }
        pending += part[..<count]
    }

    func readLine() throws -> String {
        while true {
            if let end = pending[start...].firstIndex(of: 0x0A) {
                let line = String(decoding: pending[start..<end], as: UTF8.self)
                start = end + 1
                return line.hasSuffix("\r") ? String(line.dropLast()) : line
            }
            try readMore()
        }
    }

    func readBytes(_ count: Int) throws -> [UInt8] {
        while pending.count - start < count { try readMore() }
        defer { start += count }
        return Array(pending[start..<start + count])
    }

    /// Whether the server has closed its side, with nothing left to read.
    func isAtEnd() throws -> Bool {
        guard start == pending.count else { return false }
        do {
            try readMore()
            return false
        } catch is ConnectionEnded {
            return true
        }
    }

    func readHead() throws -> Reply {
        var reply = Reply()
        reply.status = Int(try readLine().split(separator: " ")[1]) ?? 0
        reply.fields = try readFields()
        return reply
    }

    private func readFields() throws -> [String: String] {
        var fields: [String: String] = [:]
        while true {
            let line = try readLine()
            if line.isEmpty { return fields }
            let parts = line.split(separator: ":", maxSplits: 1)
            fields[parts[0].lowercased()] = parts[1].trimmingPrefix(" ").description
        }
    }

    /// The next chunk of a chunked body; empty for the last.
    func readChunk() throws -> [UInt8] {
        guard let count = Int(try readLine(), radix: 16) else { throw ConnectionEnded() }
        guard count > 0 else { return [] }
        let chunk = try readBytes(count)
        _ = try readLine()
        return chunk
    }

    func readBody(of head: Reply) throws -> Reply {
        var reply = head
        if reply.fields["transfer-encoding"] == "chunked" {
            while case let chunk = try readChunk(), !chunk.isEmpty { reply.body += chunk }
            reply.trailer = try readFields()
        } else {
            reply.body = try readBytes(Int(reply.fields["content-length"] ?? "0") ?? 0)
        }
        return reply
    }

    func readReply(toHead: Bool = false) throws -> Reply {
        let head = try readHead()
        return toHead ? head : try readBody(of: head)
    }
}
