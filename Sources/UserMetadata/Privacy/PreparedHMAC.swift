import Crypto

/// An HMAC-SHA256 (RFC 2104) over the library's SHA-256, with its key and what each text begins with taken in once.
/// Every login needs two of them, and the library's own `HMAC` spends most of its time in unspecialised generics.
struct PreparedHMAC: Sendable {
    private static let blockBytes = 64
    private var inner = SHA256()
    private var outer = SHA256()

    /// - Parameters:
    ///   - key: at most 64 bytes.
    ///   - beginning: what stands before each text.
    init(key: [UInt8], beginning: [UInt8]) {
        precondition(key.count <= Self.blockBytes, "a key of \(key.count) bytes")
        let padded = key + Array(repeating: 0, count: Self.blockBytes - key.count)
        inner.update(data: padded.map { $0 ^ 0x36 } + beginning)
        outer.update(data: padded.map { $0 ^ 0x5C })
    }

    func code(of text: UnsafeRawBufferPointer) -> SHA256Digest {
        var (inner, outer) = (inner, outer)
        inner.update(bufferPointer: text)
        inner.finalize().withUnsafeBytes { outer.update(bufferPointer: $0) }
        return outer.finalize()
    }
}
