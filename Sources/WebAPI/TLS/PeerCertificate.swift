import NIOCore
import NIOSSL
import X509

extension Peer {
    /// Of a TLS connection whose handshake is done; on its event loop.
    init(ofTLS channel: any Channel) {
        self.init(address: channel.remoteAddress, certificateCommonName: Self.commonName(channel))
    }

    private static func commonName(_ channel: any Channel) -> String? {
        // What cannot be read names nobody.
        guard let certificate = try? channel.pipeline.syncOperations.nioSSL_peerCertificate(),
            let bytes = try? certificate.toDERBytes()
        else { return nil }
        return commonName(certificate: bytes)
    }

    /// `nil` where the subject has no CommonName or more than one, or one that is not text: whoever decides by names
    /// must not have to choose.
    static func commonName(certificate der: [UInt8]) -> String? {
        guard let certificate = try? Certificate(derEncoded: der) else { return nil }
        let names = certificate.subject.flatMap { $0 }.filter { $0.type == .RDNAttributeType.commonName }
        return names.count == 1 ? names.first.flatMap { String($0.value) } : nil
    }
}
