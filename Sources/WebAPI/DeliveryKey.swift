import HTTPTypes
import LogEngine
import NIOCore
import SegmentFormat

/// What a client calls a batch: the `Idempotency-Key` of a request, or the `Daybook-Delivery` of a forwarder.
struct DeliveryKey: Equatable {
    private enum Name: Equatable {
        case key(String)
        case source(String, epoch: UInt64, number: UInt64)
    }

    private let name: Name

    /// `nil` where the request has neither.
    init?(_ fields: HTTPFields) throws(Problem) {
        guard let delivery = try Self.only(.daybookDelivery, of: fields, else: .badDelivery) else {
            guard let key = try Self.only(.idempotencyKey, of: fields, else: .badIdempotencyKey) else { return nil }
            guard (1...255).contains(key.utf8.count), key.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
                throw .badIdempotencyKey
            }
            name = .key(key)
            return
        }
        guard !fields.contains(.idempotencyKey), let source = Self.source(delivery) else { throw .badDelivery }
        name = source
    }

    /// The value of a field that may be there once.
    private static func only(
        _ name: HTTPField.Name, of fields: HTTPFields, else problem: Problem
    ) throws(Problem) -> String? {
        guard fields.contains(name) else { return nil }
        guard let value = fields.only(name) else { throw problem }
        return value
    }

    /// `source/epoch/number`: 1–64 letters, digits, `.`, `_` and `-`; 16 hex digits; a number from 1.
    private static func source(_ text: String) -> Name? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 3, (1...64).contains(parts[0].utf8.count), parts[0].utf8.allSatisfy(isNameByte),
            let epoch = UInt64(hex: parts[1]), parts[2].utf8.first != 0x2B, let number = UInt64(parts[2]),
            (1...UInt64(Int64.max)).contains(number)
        else { return nil }
        return .source(String(parts[0]), epoch: epoch, number: number)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
        default: false
        }
    }

    /// How the store remembers a body that came under this name. What a client may have made of anything is kept
    /// as a keyed hash.
    func delivery(of body: ByteBuffer, secret: Hash128) -> Delivery {
        delivery(secret: secret) { body.withUnsafeReadableBytes { xxh3Wide($0) } }
    }

    /// The same with another fingerprint of the body than a hash that all can make.
    func delivery(secret: Hash128, fingerprint: () -> Hash128) -> Delivery {
        switch name {
        case .key(let key):
            .key(KeyedHash.of(key, secret: secret), fingerprint: fingerprint())
        case .source(let source, let epoch, let number):
            .source(SourceEpoch(source: KeyedHash.of(source, secret: secret), epoch: epoch), number: number)
        }
    }
}
