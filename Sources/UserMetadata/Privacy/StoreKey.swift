import SegmentFormat

/// The secret of a store of user metadata: what it keeps of names and devices, where it keeps a hash of them,
/// says nothing without it.
public struct StoreKey: Sendable {
    public static let byteCount = 32

    private let user: PreparedHMAC
    private let device: PreparedHMAC
    private let body: PreparedHMAC

    /// `bytes` are 32 random ones.
    public init(_ bytes: [UInt8]) {
        precondition(bytes.count == Self.byteCount, "a key of \(bytes.count) bytes")
        user = Self.code(bytes, "user")
        device = Self.code(bytes, "device")
        body = Self.code(bytes, "body")
    }

    /// Two uses of one key never meet: each text begins with what it is, and a byte that no UTF-8 has.
    private static func code(_ bytes: [UInt8], _ use: String) -> PreparedHMAC {
        PreparedHMAC(key: bytes, beginning: Array(use.utf8) + [0xFF])
    }

    /// By which the events of a user are found and erased: the first 128 bits of an HMAC-SHA256.
    public func user(_ name: [UInt8]) -> Hash128 { name.withUnsafeBytes { Self.hash($0, user) } }

    /// By which another key is noticed.
    public var mark: Hash128 { user([]) }

    /// What is stored of a device's id. The same id is the same device, whoever uses it.
    public func device(_ id: [UInt8]) -> Hash128 { id.withUnsafeBytes(device) }

    func device(_ id: UnsafeRawBufferPointer) -> Hash128 { Self.hash(id, device) }

    /// By which a body that comes again is known. It has names and times in it that a hash without a key would
    /// let anybody try out.
    func body(_ bytes: UnsafeRawBufferPointer) -> Hash128 { Self.hash(bytes, body) }

    private static func hash(_ text: UnsafeRawBufferPointer, _ prepared: PreparedHMAC) -> Hash128 {
        prepared.code(of: text).withUnsafeBytes {
            Hash128(
                low: UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)),
                high: UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
        }
    }
}
