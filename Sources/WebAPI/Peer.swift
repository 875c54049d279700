import NIOCore

/// Who is at the other end of a connection.
public struct Peer: Sendable, Equatable {
    /// `nil` where it is known no more.
    public var address: SocketAddress?
    /// Of the client certificate that was verified; `nil` without one, and where its subject has no name or several.
    public var certificateCommonName: String?

    public init(address: SocketAddress? = nil, certificateCommonName: String? = nil) {
        self.address = address
        self.certificateCommonName = certificateCommonName
    }
}
