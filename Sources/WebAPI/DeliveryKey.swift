import Crypto
import HTTPTypes
import LogEngine
import NIOCore
import SegmentFormat

/// The `Idempotency-Key` of a request.
struct DeliveryKey: Equatable {
    private let text: String

    /// `nil` where the request has none.
    init?(_ fields: HTTPFields) throws(Problem) {
        guard fields[.idempotencyKey] != nil else { return nil }
        let values = fields[values: .idempotencyKey]
        guard values.count == 1, let text = values.first, (1...255).contains(text.utf8.count),
            text.utf8.allSatisfy({ (0x20...0x7E).contains($0) })
        else { throw .badIdempotencyKey }
        self.text = text
    }

    /// How the store remembers a body that came under this key. The key itself, which a client may
    /// have made of anything, is kept as a keyed hash: the first 128 bits of an HMAC-SHA256.
    func delivery(of body: ByteBuffer, secret: Hash128) -> Delivery {
        var code = HMAC<SHA256>(key: SymmetricKey(data: Self.bytes(of: secret)))
        code.update(data: Array(text.utf8))
        let key = code.finalize().withUnsafeBytes {
            Hash128(low: $0.loadUnaligned(as: UInt64.self), high: $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        }
        return .key(key, fingerprint: body.withUnsafeReadableBytes { xxh3Wide($0) })
    }

    private static func bytes(of secret: Hash128) -> [UInt8] {
        withUnsafeBytes(of: (secret.low.littleEndian, secret.high.littleEndian)) { Array($0) }
    }
}
