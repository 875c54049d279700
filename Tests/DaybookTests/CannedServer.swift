import Dispatch
import Glibc
import LogEngine

/// Answers one request with bytes that are given to it, and closes the connection.
struct CannedServer {
    let url: String

    init(answering answer: String) throws {
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
            var request = [UInt8](repeating: 0, count: 1 << 16)
            // The head of a GET is small, and comes at once.
            _ = read(connection, &request, request.count)
            let bytes = Array(answer.utf8)
            _ = write(connection, bytes, bytes.count)
            close(connection)
            close(listener)
        }
    }
}
