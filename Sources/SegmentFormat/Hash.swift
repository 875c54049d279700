import CXXHash

/// XXH3-64 of `bytes` (xxHash specification 0.8).
public func xxh3(_ bytes: UnsafeRawBufferPointer, seed: UInt64 = 0) -> UInt64 {
    daybook_xxh3(bytes.baseAddress, bytes.count, seed)
}

/// XXH3-128 of `bytes`.
public func xxh3Wide(_ bytes: UnsafeRawBufferPointer, seed: UInt64 = 0) -> Hash128 {
    Hash128(daybook_xxh3_wide(bytes.baseAddress, bytes.count, seed))
}

func xxh32(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    XXH32(bytes.baseAddress, bytes.count, 0)
}

/// An XXH3 over bytes that come in pieces: the file hash of a segment, the digest of an answer.
public final class RunningHash {
    private let state: OpaquePointer

    public init(seed: UInt64 = 0) {
        guard let state = XXH3_createState() else { preconditionFailure("out of memory") }
        self.state = state
        XXH3_128bits_reset_withSeed(state, seed)
    }

    deinit { XXH3_freeState(state) }

    public func update(_ bytes: UnsafeRawBufferPointer) {
        daybook_xxh3_wide_update(state, bytes.baseAddress, bytes.count)
    }

    public func update(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { update($0) }
    }

    /// The XXH3-128 of everything so far; more may follow.
    public var wide: Hash128 { Hash128(XXH3_128bits_digest(state)) }
}

extension Hash128 {
    init(_ hash: XXH128_hash_t) {
        self.init(low: hash.low64, high: hash.high64)
    }

    /// As `xxhsum` prints it, the high half first.
    public var hex: String { high.hex + low.hex }
}

extension UInt64 {
    /// 16 lower-case digits.
    public var hex: String {
        let digits = String(self, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// `nil` for anything but 16 hex digits.
    public init?(hex text: some StringProtocol) {
        // A sign is no digit, though numbers are read with one.
        guard text.utf8.count == 16, text.utf8.first != 0x2B, text.utf8.first != 0x2D,
            let value = UInt64(text, radix: 16)
        else { return nil }
        self = value
    }
}
