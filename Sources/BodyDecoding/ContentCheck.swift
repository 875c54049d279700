import CXXHash

/// The checksum at the end of an LZ4 frame: XXH32 of its content (LZ4 frame format 1.6.2).
final class ContentCheck {
    private let state: OpaquePointer
    /// The last four bytes of the frame that came in, the first of them lowest.
    private var last: UInt32 = 0

    init() {
        guard let state = XXH32_createState() else { preconditionFailure("out of memory") }
        self.state = state
    }

    deinit { XXH32_freeState(state) }

    func begin() { XXH32_reset(state, 0) }

    func add(_ content: UnsafeRawBufferPointer) { XXH32_update(state, content.baseAddress, content.count) }

    func follow(_ frame: UnsafeRawBufferPointer) {
        for byte in frame.suffix(4) { last = last >> 8 | UInt32(byte) << 24 }
    }

    /// At the end of the frame.
    var isMet: Bool { XXH32_digest(state) == last }
}
