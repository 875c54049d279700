import NIOCore

/// Who is at the other end of a connection.
struct Peer: Sendable, Equatable {
    /// `nil` where it is known no more.
    var address: SocketAddress?
    /// Of the client certificate that was verified; `nil` without one, and where its subject has no name or several.
    var certificateCommonName: String?
}
