/// The files of a TLS listener, all PEM.
public struct TLSOptions: Sendable, Equatable {
    /// What becomes of a client without a certificate. One that shows a certificate which nobody vouches for is
    /// refused either way.
    public enum ClientAuth: String, Sendable, CaseIterable {
        case required
        case optional
    }

    /// The listener's certificate, and behind it those that link it to one that clients trust.
    public var certificatePath: String
    public var keyPath: String
    /// Certificates of who vouches for clients. `nil`: clients are not asked for a certificate.
    public var authorityPath: String?
    public var clientAuth: ClientAuth

    public init(
        certificatePath: String, keyPath: String, authorityPath: String? = nil, clientAuth: ClientAuth = .required
    ) {
        self.certificatePath = certificatePath
        self.keyPath = keyPath
        self.authorityPath = authorityPath
        self.clientAuth = clientAuth
    }

    var paths: [String] { [certificatePath, keyPath] + [authorityPath].compactMap(\.self) }
}

/// Why certificates cannot be used; says which file.
public struct TLSFault: Error, Equatable, Sendable, CustomStringConvertible {
    public enum Kind: Sendable {
        /// A file cannot be read.
        case unreadable
        /// What is in it is of no use, or others may read what nobody should.
        case unusable
    }

    public let kind: Kind
    public let description: String

    static func unreadable(_ path: String, _ reason: String) -> TLSFault {
        TLSFault(kind: .unreadable, description: "cannot read \(path): \(reason)")
    }

    static func unusable(_ path: String, _ reason: String) -> TLSFault {
        TLSFault(kind: .unusable, description: "\(path): \(reason)")
    }
}
