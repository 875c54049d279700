import CLZ4

/// LZ4 frames of any block size, linked or not, and skippable ones.
final class LZ4Stream: FrameStream {
    private let context: OpaquePointer
    /// How much the library wants next. Given no more, it names a fault block by block, and copies less.
    private var wanted = LZ4Stream.magicBytes

    private static let magicBytes = 4

    init() {
        var context: OpaquePointer?
        guard LZ4F_isError(LZ4F_createDecompressionContext(&context, UInt32(LZ4F_VERSION))) == 0, let context else {
            preconditionFailure("out of memory")
        }
        self.context = context
    }

    deinit { LZ4F_freeDecompressionContext(context) }

    func step(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(FrameFault) -> FrameStep {
        var (read, written) = (min(input.count, wanted), output.count)
        let result = LZ4F_decompress(context, output.baseAddress, &written, input.baseAddress, &read, nil)
        guard LZ4F_isError(result) == 0 else {
            throw FrameFault(detail: String(cString: LZ4F_getErrorName(result)))
        }
        wanted = result > 0 ? result : Self.magicBytes
        return FrameStep(read: read, written: written, isAtEnd: result == 0)
    }
}
