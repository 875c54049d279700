import Crypto
import SegmentFormat

/// The secret of a store of user metadata: what it keeps of names and devices, where it keeps a hash of them,
/// says nothing without it.
public struct StoreKey: Sendable {
    public static let byteCount = 32

    private let user: HMAC<SHA256>
    private let device: HMAC<SHA256>
    private let body: HMAC<SHA256>

    /// `bytes` are 32 random ones.
    public init(_ bytes: [UInt8]) {
        precondition(bytes.count == Self.byteCount, "a key of \(bytes.count) bytes")
        user = Self.code(bytes, "user")
        device = Self.code(bytes, "device")
        body = Self.code(bytes, "body")
    }

    /// Two uses of one key never meet: each text begins with what it is, and a byte that no UTF-8 has.
    private static func code(_ bytes: [UInt8], _ use: StaticString) -> HMAC<SHA256> {
        var code = HMAC<SHA256>(key: SymmetricKey(data: bytes))
        code.update(data: UnsafeRawBufferPointer(start: use.utf8Start, count: use.utf8CodeUnitCount))
        code.update(data: [0xFF])
        return code
    }

    /// By which the events of a user are found and erased: the first 128 bits of an HMAC-SHA256.
    public func user(_ name: [UInt8]) -> Hash128 { name.withUnsafeBytes { Self.finish(user, $0) } }

    /// By which another key is noticed.
    public var mark: Hash128 { user([]) }

    /// What is stored of a device's id. The same id is the same device, whoever uses it.
    public func device(_ id: [UInt8]) -> Hash128 { id.withUnsafeBytes { Self.finish(device, $0) } }

    /// By which a body that comes again is known. It has names and times in it that a hash without a key would
    /// let anybody try out.
    func body(_ bytes: UnsafeRawBufferPointer) -> Hash128 { Self.finish(body, bytes) }

    private static func finish(_ prepared: HMAC<SHA256>, _ text: UnsafeRawBufferPointer) -> Hash128 {
        var code = prepared
        code.update(data: text)
        return code.finalize().withUnsafeBytes {
            Hash128(
                low: UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)),
                high: UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
        }
    }
}
