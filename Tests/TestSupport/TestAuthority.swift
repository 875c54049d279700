import Crypto
import FoundationEssentials
import X509

/// Somebody who vouches for certificates, for one test.
public struct TestAuthority: Sendable {
    /// A certificate and its key, PEM.
    public struct Identity: Sendable {
        public let certificate: String
        public let key: String
    }

    /// PEM.
    public let certificate: String
    private let key: Certificate.PrivateKey
    private let name: DistinguishedName

    public init(_ name: String = "test authority") throws {
        let key = P256.Signing.PrivateKey()
        self.key = Certificate.PrivateKey(key)
        self.name = try Self.subject([name])
        let extensions = try Certificate.Extensions {
            Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil))
            Critical(KeyUsage(keyCertSign: true))
        }
        certificate = try Self.certificate(
            self.key.publicKey, Self.now - 3_600...Self.now + 86_400, issuer: self.name, subject: self.name, extensions,
            self.key)
    }

    /// A certificate for `localhost` whose subject has these CommonNames.
    ///
    /// - Parameter hours: from when to when it is valid, from now.
    public func issue(_ commonNames: String..., hours: ClosedRange<Double> = -1...24) throws -> Identity {
        let key = P256.Signing.PrivateKey()
        let extensions = try Certificate.Extensions {
            Critical(BasicConstraints.notCertificateAuthority)
            SubjectAlternativeNames([.dnsName("localhost")])
        }
        let validity = Self.now + hours.lowerBound * 3_600...Self.now + hours.upperBound * 3_600
        let certificate = try Self.certificate(
            Certificate.PublicKey(key.publicKey), validity, issuer: name, subject: Self.subject(commonNames),
            extensions,
            self.key)
        return Identity(certificate: certificate, key: key.pemRepresentation)
    }

    private static var now: Date { Date() }

    private static func subject(_ commonNames: [String]) throws -> DistinguishedName {
        DistinguishedName(
            commonNames.map { name in
                RelativeDistinguishedName(
                    .init(type: .RDNAttributeType.commonName, value: .init(utf8String: name)))
            })
    }

    private static func certificate(
        _ key: Certificate.PublicKey, _ validity: ClosedRange<Date>, issuer: DistinguishedName,
        subject: DistinguishedName, _ extensions: Certificate.Extensions, _ signer: Certificate.PrivateKey
    ) throws -> String {
        let certificate = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: key, notValidBefore: validity.lowerBound,
            notValidAfter: validity.upperBound, issuer: issuer, subject: subject,
            signatureAlgorithm: .ecdsaWithSHA256, extensions: extensions, issuerPrivateKey: signer)
        return try certificate.serializeAsPEM().pemString
    }
}
