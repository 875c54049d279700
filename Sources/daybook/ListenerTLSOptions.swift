import ArgumentParser
import WebAPI

/// `--tls-…` of a server.
struct ListenerTLSOptions: ParsableArguments {
    @Option(
        name: .customLong("tls-cert"),
        help: ArgumentHelp("Serve HTTPS with this certificate and those behind it, PEM.", valueName: "file"),
        completion: .file())
    var certificate: String?

    @Option(
        name: .customLong("tls-key"), help: ArgumentHelp("The private key of the certificate, PEM.", valueName: "file"),
        completion: .file())
    var key: String?

    @Option(
        name: .customLong("tls-ca"),
        help: ArgumentHelp("Ask clients for a certificate that one of these vouches for, PEM.", valueName: "file"),
        completion: .file())
    var authority: String?

    @Option(
        name: .customLong("tls-client-auth"),
        help: "With --tls-ca: required, or optional (a client may come without a certificate).")
    var clientAuth: TLSOptions.ClientAuth?

    func validate() throws {
        if (certificate == nil) != (key == nil) { throw ValidationError("--tls-cert and --tls-key go together.") }
        if authority != nil, certificate == nil { throw ValidationError("--tls-ca needs --tls-cert and --tls-key.") }
        if clientAuth != nil, authority == nil { throw ValidationError("--tls-client-auth needs --tls-ca.") }
    }

    /// `nil` where there is no certificate.
    var files: TLSOptions? {
        guard let certificate, let key else { return nil }
        return TLSOptions(
            certificatePath: certificate, keyPath: key, authorityPath: authority, clientAuth: clientAuth ?? .required)
    }

    /// What was given, by flag.
    var flags: [(name: String, text: String?)] {
        [
            ("tls-cert", certificate), ("tls-key", key), ("tls-ca", authority),
            ("tls-client-auth", clientAuth?.rawValue),
        ]
    }
}

extension TLSOptions.ClientAuth: ExpressibleByArgument {}
