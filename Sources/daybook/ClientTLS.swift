import ArgumentParser
import NIOSSL
import WebAPI

/// The files of a client of HTTPS, all PEM.
struct ClientTLS: Equatable, Sendable {
    /// Who vouches for the server; `nil`: whom the system trusts.
    var authority: String?
    var certificate: String?
    var key: String?

    func configuration() throws(TLSFault) -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        if let authority { configuration.trustRoots = .certificates(try PEMFile(authority).certificates()) }
        if let certificate, let key {
            configuration.certificateChain = try PEMFile(certificate).certificates().map { .certificate($0) }
            configuration.privateKey = .privateKey(try PEMFile(key).privateKey())
        }
        return configuration
    }
}

/// `--ca`, `--cert` and `--key` beside `--url https://…`.
struct ClientTLSOptions: ParsableArguments {
    @Option(
        name: .customLong("ca"),
        help: ArgumentHelp(
            "Who vouches for a server at https://, PEM (default: whom the system trusts).", valueName: "file"),
        completion: .file())
    var authority: String?

    @Option(
        name: .customLong("cert"), help: ArgumentHelp("The certificate to show to a server, PEM.", valueName: "file"),
        completion: .file())
    var certificate: String?

    @Option(
        name: .customLong("key"), help: ArgumentHelp("The private key of the certificate, PEM.", valueName: "file"),
        completion: .file())
    var key: String?

    func validate() throws {
        if (certificate == nil) != (key == nil) { throw ValidationError("--cert and --key go together.") }
    }

    var files: ClientTLS { ClientTLS(authority: authority, certificate: certificate, key: key) }
}
