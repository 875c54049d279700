/// How the lines of a data frame can be reached.
public enum DataLayout: Sendable {
    case lz4(LZ4Frame.Layout)
    /// From the start alone.
    case zstandard(storedLength: Int)

    /// The bytes of the frame that decoding bytes `range` of the lines takes.
    public func frameRange(_ range: Range<Int>) -> Range<Int> {
        switch self {
        case .lz4(let layout): layout.frameRange(range)
        case .zstandard(let length): 0..<length
        }
    }
}

/// Reads the lines of a block out of its data frame.
public enum BlockData {
    /// Checks that `frame` is the data frame that `meta` speaks of (D1, D2).
    public static func check(
        _ frame: UnsafeRawBufferPointer, of meta: BlockMeta, at offset: UInt64
    ) throws(FormatFault) {
        guard frame.count == meta.storedLength else { throw FormatFault(.dataTruncated, at: offset) }
        guard meta.lines == 0 || xxh3(frame) == meta.dataHash else { throw FormatFault(.dataChecksum, at: offset) }
    }

    /// Where the parts of a frame lie that `check` has passed (D3, D4).
    public static func layout(
        _ frame: UnsafeRawBufferPointer, of meta: BlockMeta, at offset: UInt64
    ) throws(FormatFault) -> DataLayout {
        switch meta.codec {
        case .none: throw FormatFault(.blockCodec, at: offset)
        case .lz4: return .lz4(try LZ4Frame.layout(frame, at: offset, rawLength: meta.rawLength))
        case .zstandard:
            try ZstdFrame.check(frame, at: offset, rawLength: meta.rawLength)
            return .zstandard(storedLength: frame.count)
        }
    }

    /// Decodes bytes `range` of a block's lines into `output`, which has room for just them (D4). `part` is
    /// `layout.frameRange(range)` of the frame: no more of it is needed.
    public static func decode(
        _ part: UnsafeRawBufferPointer, layout: DataLayout, of meta: BlockMeta, at offset: UInt64, range: Range<Int>,
        into output: UnsafeMutableRawBufferPointer, decoder: ZstdDecoder
    ) throws(FormatFault) {
        guard !range.isEmpty else { return }
        switch layout {
        case .lz4(let layout):
            try LZ4Frame.decode(part, of: layout, at: offset, rawLength: meta.rawLength, range: range, into: output)
        case .zstandard:
            try ZstdFrame.decode(
                part, at: offset, rawLength: meta.rawLength, range: range, into: output, decoder: decoder)
        }
    }

    /// Decodes bytes `range` of the lines of a frame that `check` has passed (D3, D4).
    public static func decode(
        _ frame: UnsafeRawBufferPointer, of meta: BlockMeta, at offset: UInt64, range: Range<Int>,
        into output: UnsafeMutableRawBufferPointer, decoder: ZstdDecoder = ZstdDecoder()
    ) throws(FormatFault) {
        guard !range.isEmpty else { return }
        let layout = try layout(frame, of: meta, at: offset)
        let part = UnsafeRawBufferPointer(rebasing: frame[layout.frameRange(range)])
        try decode(part, layout: layout, of: meta, at: offset, range: range, into: output, decoder: decoder)
    }

    /// The last line of a frame that `check` has passed, without its LF, and of what lies before it no more
    /// than the LZ4 blocks that it shares; a Zstandard frame is decoded whole (D3–D5).
    public static func lastLine(
        _ frame: UnsafeRawBufferPointer, of meta: BlockMeta, at offset: UInt64
    ) throws(FormatFault) -> [UInt8] {
        let step = FormatBounds.lz4BlockBytes
        var start = meta.codec == .lz4 ? (meta.rawLength - 1) / step * step : 0
        while true {
            var bytes = [UInt8](repeating: 0, count: meta.rawLength - start)
            var fault: FormatFault?
            let range = start..<meta.rawLength
            bytes.withUnsafeMutableBytes { output in
                do throws(FormatFault) {
                    try decode(frame, of: meta, at: offset, range: range, into: output)
                } catch { fault = error }
            }
            if let fault { throw fault }
            guard bytes.popLast() == 0x0A else { throw FormatFault(.dataLines, at: offset) }
            if let before = bytes.lastIndex(of: 0x0A) { return Array(bytes[(before + 1)...]) }
            if start == 0 { return bytes }
            start -= min(start, range.count / step * step + step)
        }
    }

    /// Every rule about a block's data, D1–D5.
    public static func verify(
        _ frame: UnsafeRawBufferPointer, of meta: BlockMeta, at offset: UInt64
    ) throws(FormatFault) {
        try check(frame, of: meta, at: offset)
        guard meta.lines > 0 else { return }
        let raw = UnsafeMutableRawBufferPointer.allocate(byteCount: meta.rawLength, alignment: 16)
        defer { raw.deallocate() }
        switch meta.codec {
        case .lz4: try LZ4Frame.verify(frame, at: offset, into: raw)
        case .none, .zstandard:
            let decoder = ZstdDecoder(checksContent: true)
            try decode(frame, of: meta, at: offset, range: 0..<raw.count, into: raw, decoder: decoder)
        }
        try checkLines(UnsafeRawBufferPointer(raw), of: meta, at: offset)
    }

    private static func checkLines(
        _ raw: UnsafeRawBufferPointer, of meta: BlockMeta, at offset: UInt64
    ) throws(FormatFault) {
        var start = 0
        for run in meta.runs {
            let bytes = UnsafeRawBufferPointer(rebasing: raw[start..<start + run.bytes])
            guard bytes.last == 0x0A, bytes.lineFeeds == run.lines else { throw FormatFault(.dataLines, at: offset) }
            start += run.bytes
        }
    }
}
