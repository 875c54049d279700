import Crypto
import SegmentFormat

/// Names what must not be read off its name: the first 128 bits of an HMAC-SHA256.
enum KeyedHash {
    static func of(_ text: String, secret: Hash128) -> Hash128 { of(text, key: bytes(of: secret)) }

    static func of(_ text: String, key: [UInt8]) -> Hash128 {
        var code = HMAC<SHA256>(key: SymmetricKey(data: key))
        code.update(data: Array(text.utf8))
        return code.finalize().withUnsafeBytes {
            Hash128(low: $0.loadUnaligned(as: UInt64.self), high: $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        }
    }

    static func bytes(of secret: Hash128) -> [UInt8] {
        withUnsafeBytes(of: (secret.low.littleEndian, secret.high.littleEndian)) { Array($0) }
    }
}
