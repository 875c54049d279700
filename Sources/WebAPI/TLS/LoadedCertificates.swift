import Glibc
import NIOHTTP2
import NIOSSL

/// What a listener shows its clients and asks of them, as its files have it.
struct LoadedCertificates {
    let context: NIOSSLContext
    /// For a person: what is odd about the certificates.
    let notes: [String]
    /// For a person.
    let summary: String

    /// - Parameter now: seconds since 1970.
    init(_ options: TLSOptions, now: Int) throws(TLSFault) {
        let keyFile = try PEMFile(options.keyPath)
        try keyFile.checkIsSecret()
        let chain = try PEMFile(options.certificatePath).certificates()
        let authorities = try options.authorityPath.map { path throws(TLSFault) in
            try PEMFile(path).certificates()
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(try keyFile.privateKey()))
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = NIOHTTP2SupportedALPNProtocols
        if let authorities {
            configuration.trustRoots = .certificates(authorities)
            configuration.certificateVerification =
                options.clientAuth == .required ? .noHostnameVerification : .optionalVerification
        }
        do {
            context = try NIOSSLContext(configuration: configuration)
        } catch {
            throw .unusable(
                options.keyPath, "this key does not belong to the certificate in \(options.certificatePath)")
        }
        notes =
            Self.notes(options.certificatePath, chain, now)
            + Self.notes(options.authorityPath ?? "", authorities ?? [], now)
        let end = chain.map { Int($0.notValidAfter) }.min() ?? 0
        summary = "\(options.certificatePath), valid until \(Self.text(of: end))"
    }

    private static func notes(_ path: String, _ certificates: [NIOSSLCertificate], _ now: Int) -> [String] {
        certificates.compactMap { certificate in
            let (begin, end) = (Int(certificate.notValidBefore), Int(certificate.notValidAfter))
            if end < now { return "\(path): a certificate in it has expired at \(text(of: end))" }
            if begin > now { return "\(path): a certificate in it is not valid before \(text(of: begin))" }
            return nil
        }
    }

    /// RFC 3339.
    private static func text(of second: Int) -> String {
        var (moment, parts) = (second, tm())
        gmtime_r(&moment, &parts)
        var text = [CChar](repeating: 0, count: 32)
        let length = strftime(&text, text.count, "%Y-%m-%dT%H:%M:%SZ", &parts)
        return String(decoding: text[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
