import CZstd

/// Zstandard frames, and skippable ones.
final class ZstandardStream: FrameStream {
    /// The largest window that a body may ask for, as a power of two (RFC 9659 §3).
    private static let windowLog: Int32 = 23

    private let context: OpaquePointer
    /// How much the library wants next. Given no more, it names a fault block by block.
    private var wanted = ZstandardStream.magicBytes

    private static let magicBytes = 4

    init() {
        guard let context = ZSTD_createDCtx() else { preconditionFailure("out of memory") }
        self.context = context
        let result = ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, Self.windowLog)
        precondition(ZSTD_isError(result) == 0, "the library allows windows of 8 MiB")
    }

    deinit { ZSTD_freeDCtx(context) }

    func step(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(FrameFault) -> FrameStep {
        var source = ZSTD_inBuffer(src: input.baseAddress, size: min(input.count, wanted), pos: 0)
        var place = ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
        let result = ZSTD_decompressStream(context, &place, &source)
        guard ZSTD_isError(result) == 0 else {
            throw FrameFault(detail: String(cString: ZSTD_getErrorName(result)))
        }
        wanted = result > 0 ? result : Self.magicBytes
        return FrameStep(read: source.pos, written: place.pos, isAtEnd: result == 0)
    }
}
