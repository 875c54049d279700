import AsyncHTTPClient
import Glibc
import LogEngine
import NIOCore
import NIOPosix
import NIOSSL

/// Why a connection failed, for a person.
func plainWords(_ error: any Error) -> String {
    switch error {
    case let error as NIOConnectionError:
        if let failure = error.connectionErrors.first { return plainWords(failure.error) }
        return (error.dnsAError ?? error.dnsAAAAError).map(plainWords) ?? "there is no address to connect to"
    case let error as IOError: return String(cString: strerror(error.errnoCode)).lowercased()
    case let error as SystemFault: return String(cString: strerror(error.code)).lowercased()
    case let error as SocketAddressError.UnknownHost: return "no host is known as \(error.host)"
    case ChannelError.connectTimeout: return "it does not answer"
    case let error as HTTPClientError: return plainWords(of: error)
    case let error as NIOSSLError: return plainWords(of: error)
    case let error as NIOSSLExtraError where error == .failedToValidateHostname:
        return "its certificate is for another name"
    default: return "\(error)"
    }
}

private func plainWords(of error: HTTPClientError) -> String {
    switch error {
    case .connectTimeout: "it does not answer"
    case .deadlineExceeded, .readTimeout: "it took too long to answer"
    case .remoteConnectionClosed, .uncleanShutdown: "it has closed the connection"
    case .emptyHost, .invalidURL: "this is no URL of a server"
    default: error.shortDescription.lowercased()
    }
}

private func plainWords(of error: NIOSSLError) -> String {
    switch error {
    case .handshakeFailed(let cause):
        // BoringSSL has no other way to say it.
        if "\(cause)".contains("CERTIFICATE_VERIFY_FAILED") {
            return "nobody whom we trust vouches for its certificate"
        }
        return "the TLS handshake failed: \(cause)"
    case .uncleanShutdown: return "it has closed the connection"
    default: return "\(error)"
    }
}
