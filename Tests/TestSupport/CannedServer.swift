import Dispatch
import Glibc
import LogEngine

/// Answers one request with bytes that are given to it, and closes the connection.
public struct CannedServer {
    public let url: String

    public init(answering answer: String) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(listener, address, length) == 0 && listen(listener, 1) == 0
                    && getsockname(listener, address, &length) == 0
            }
        }
        guard listener >= 0, isListening else { throw SystemFault(errno) }
        url = "http://127.0.0.1:\(UInt16(bigEndian: address.sin_port))"
        DispatchQueue.global().async {
            let connection = accept(listener, nil, nil)
            Self.readRequest(connection)
            let bytes = Array(answer.utf8)
            _ = write(connection, bytes, bytes.count)
            close(connection)
            close(listener)
        }
    }

    /// To its end: what is left unread would cut the answer off.
    private static func readRequest(_ connection: Int32) {
        var request = ""
        var part = [UInt8](repeating: 0, count: 1 << 16)
        while !isWhole(request) {
            let count = read(connection, &part, part.count)
            guard count > 0 else { return }
            request += String(decoding: part[..<count], as: UTF8.self)
        }
    }

    private static func isWhole(_ request: String) -> Bool {
        let lines = request.split(separator: "\r\n", omittingEmptySubsequences: false)
        guard let end = lines.firstIndex(of: "") else { return false }
        let fields = lines[..<end].map { $0.lowercased() }
        let length = fields.first { $0.hasPrefix("content-length: ") }.flatMap { Int($0.dropFirst(16)) } ?? 0
        let body = lines[(end + 1)...].joined(separator: "\r\n")
        return body.utf8.count >= length && lines.count > end + 1
    }
}
