import CLZ4

/// LZ4 frames of any block size, linked or not, and skippable ones.
final class LZ4Stream: FrameStream {
    private let context: OpaquePointer
    /// How much the library wants next. Given no more, it names a fault block by block, and copies less.
    private var wanted = LZ4Stream.magicBytes
    private let check = ContentCheck()
    private var header = Header.unread

    private enum Header {
        case unread
        /// The library checks what there is to check.
        case read
        /// There is the content alone to check, and that is done here.
        case leavesCheck
    }

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
        let result = daybook_lz4f_decompress(
            context, output.baseAddress, &written, input.baseAddress, &read, header != .leavesCheck)
        guard LZ4F_isError(result) == 0 else {
            throw FrameFault(detail: String(cString: LZ4F_getErrorName(result)))
        }
        if header == .leavesCheck {
            check.add(UnsafeRawBufferPointer(rebasing: output[..<written]))
            check.follow(UnsafeRawBufferPointer(rebasing: input[..<read]))
            guard result > 0 || check.isMet else {
                throw FrameFault(detail: "its content is not what its checksum says")
            }
        }
        if header == .unread { readHeader() }
        if result == 0 { header = .unread }
        wanted = result > 0 ? result : Self.magicBytes
        return FrameStep(read: read, written: written, isAtEnd: result == 0)
    }

    /// Looks whether the library has read it; it gives nothing before.
    private func readHeader() {
        var (info, none) = (LZ4F_frameInfo_t(), 0)
        guard LZ4F_isError(LZ4F_getFrameInfo(context, &info, nil, &none)) == 0 else { return }
        let leavesCheck =
            info.contentChecksumFlag == LZ4F_contentChecksumEnabled && info.blockChecksumFlag == LZ4F_noBlockChecksum
        header = leavesCheck ? .leavesCheck : .read
        if leavesCheck { check.begin() }
    }
}
