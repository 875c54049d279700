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
    /// have made of anything, is kept as a keyed hash.
    func delivery(of body: ByteBuffer, secret: Hash128) -> Delivery {
        .key(KeyedHash.of(text, secret: secret), fingerprint: body.withUnsafeReadableBytes { xxh3Wide($0) })
    }
}
