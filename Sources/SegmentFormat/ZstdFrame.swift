import CZstd

// The data frame of a cold block (SPEC D3): a Zstandard frame (RFC 8878) of one segment, so that its
// header says nothing but the content's size, and a decoder needs no more memory than the content.

/// Encodes one frame after another, keeping what that needs between them: 4 MB at level 6, and for blocks
/// of 1 MiB at most 18 MB at any level. One owner at a time.
public final class ZstdEncoder {
    public static let levels = 1...19
    /// Levels 3, 6 and 9 make 49, 41 and 36 bytes of an event of 445, in 0.9, 3.5 and 6.5 CPU seconds a million.
    public static let defaultLevel = 6
    /// Level 6 is not the library's: it takes the first good match, as 5 does, but of 32 candidates in a table that
    /// the cache holds. That makes 2 % more bytes in 15 % less time.
    private static let defaultBase = 5
    private let context: OpaquePointer

    /// `level` is one of `levels`.
    public init(level: Int = ZstdEncoder.defaultLevel) {
        precondition(Self.levels.contains(level), "no level \(level)")
        guard let context = ZSTD_createCCtx() else { preconditionFailure("out of memory") }
        self.context = context
        set(ZSTD_c_compressionLevel, level == Self.defaultLevel ? Self.defaultBase : level)
        if level == Self.defaultLevel {
            set(ZSTD_c_minMatch, 6)
            set(ZSTD_c_searchLog, 5)
            set(ZSTD_c_hashLog, 17)
        }
        set(ZSTD_c_checksumFlag, 1)
        // A window that holds any block whole makes a single segment of it at every level.
        set(ZSTD_c_windowLog, FormatBounds.blockRawBytes.trailingZeroBitCount)
    }

    deinit { ZSTD_freeCCtx(context) }

    /// One frame that decodes to `raw`: at least one byte, and no more than a block holds. The same bytes
    /// give the same frame, whatever came before.
    public func encode(_ raw: UnsafeRawBufferPointer) -> [UInt8] {
        precondition((1...FormatBounds.blockRawBytes).contains(raw.count), "a block of \(raw.count) bytes")
        return [UInt8](unsafeUninitializedCapacity: ZSTD_compressBound(raw.count)) { buffer, count in
            count = ZSTD_compress2(context, buffer.baseAddress, buffer.count, raw.baseAddress, raw.count)
            precondition(ZSTD_isError(count) == 0, "out of memory")
        }
    }

    private func set(_ parameter: ZSTD_cParameter, _ value: Int) {
        let result = ZSTD_CCtx_setParameter(context, parameter, Int32(value))
        precondition(ZSTD_isError(result) == 0, "libzstd takes no \(parameter) of \(value)")
    }
}

/// What decoding takes, kept from one frame to the next: 160 KB, from the first one on. One owner at a time.
public final class ZstdDecoder {
    private let checksContent: Bool
    private var kept: OpaquePointer?

    /// With `checksContent` each frame's checksum of its content is compared, which proves nothing about a
    /// stored frame whose own hash is right (D2), and takes a tenth of the time.
    public init(checksContent: Bool = false) { self.checksContent = checksContent }

    deinit { ZSTD_freeDCtx(kept) }

    fileprivate var context: OpaquePointer {
        if let kept { return kept }
        guard let context = ZSTD_createDCtx() else { preconditionFailure("out of memory") }
        // ZSTD_d_forceIgnoreChecksum; a library that does not know it checks.
        if !checksContent { _ = ZSTD_DCtx_setParameter(context, ZSTD_d_experimentalParam3, 1) }
        kept = context
        return context
    }
}

/// Checks and decodes whole frames, and slices of them.
public enum ZstdFrame {
    static let magic: UInt32 = 0xFD2F_B528
    /// A frame that decodes to nothing.
    public static let empty: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0x24, 0, 1, 0, 0, 0x99, 0xE9, 0xD8, 0x51]
    /// Of a frame of a single byte.
    private static let leastBytes = 14
    private static let sizeOffset = 5
    private static let checksumBytes = 4

    /// Checks the structure of a frame whole (D3), and its content size (D4). `offset` is where it lies in
    /// its file.
    static func check(
        _ frame: UnsafeRawBufferPointer, at offset: UInt64, rawLength: Int
    ) throws(FormatFault) {
        guard let size = contentSize(frame) else { throw FormatFault(.dataFrame, at: offset) }
        guard size == rawLength else { throw FormatFault(.dataDecode, at: offset + UInt64(sizeOffset)) }
        let end = ZSTD_findFrameCompressedSize(frame.baseAddress, frame.count)
        guard ZSTD_isError(end) == 0 else { throw FormatFault(.dataFrame, at: offset) }
        guard end == frame.count else { throw FormatFault(.dataFrame, at: offset + UInt64(end)) }
    }

    /// `nil` unless the frame begins with the one header that there is for its size.
    private static func contentSize(_ frame: UnsafeRawBufferPointer) -> Int? {
        guard frame.count >= leastBytes, integer(frame, at: 0, UInt32.self) == magic else { return nil }
        switch frame[4] {
        case 0x24: return Int(frame[sizeOffset])
        case 0x64: return 256 + Int(integer(frame, at: sizeOffset, UInt16.self))
        case 0xA4:
            let size = Int(integer(frame, at: sizeOffset, UInt32.self))
            return size >= 256 + 65_536 ? size : nil
        default: return nil
        }
    }

    private static func integer<Value: FixedWidthInteger>(
        _ frame: UnsafeRawBufferPointer, at position: Int, _: Value.Type
    ) -> Value {
        Value(littleEndian: frame.loadUnaligned(fromByteOffset: position, as: Value.self))
    }

    /// Decodes bytes `range` of the content of a frame that `check` has passed into `output`, which has
    /// room for just them. All of the frame is decoded: to stop behind the slice would halve the work for the
    /// last block of a range, and do nothing for the others.
    static func decode(
        _ frame: UnsafeRawBufferPointer, at offset: UInt64, rawLength: Int, range: Range<Int>,
        into output: UnsafeMutableRawBufferPointer, decoder: ZstdDecoder = ZstdDecoder(checksContent: true)
    ) throws(FormatFault) {
        precondition(range.upperBound <= rawLength && output.count >= range.count)
        if range == 0..<rawLength {
            let place = UnsafeMutableRawBufferPointer(rebasing: output[..<rawLength])
            return try decode(frame, at: offset, into: place, decoder)
        }
        let raw = UnsafeMutableRawBufferPointer.allocate(byteCount: rawLength, alignment: 16)
        defer { raw.deallocate() }
        try decode(frame, at: offset, into: raw, decoder)
        output.copyMemory(from: UnsafeRawBufferPointer(rebasing: raw[range]))
    }

    /// Decodes a frame that `check` has passed into `output`, which is as long as its content.
    private static func decode(
        _ frame: UnsafeRawBufferPointer, at offset: UInt64, into output: UnsafeMutableRawBufferPointer,
        _ decoder: ZstdDecoder
    ) throws(FormatFault) {
        let result = ZSTD_decompressDCtx(
            decoder.context, output.baseAddress, output.count, frame.baseAddress, frame.count)
        guard result != output.count else { return }
        let isChecksum = ZSTD_getErrorCode(result) == ZSTD_error_checksum_wrong
        throw FormatFault(.dataDecode, at: offset + UInt64(isChecksum ? frame.count - checksumBytes : 0))
    }
}
