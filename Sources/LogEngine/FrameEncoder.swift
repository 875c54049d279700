import SegmentFormat

/// Makes frames of lines that lie in no stored frame that could be passed on.
enum FrameEncoder {
    case lz4
    case zstandard(ZstdEncoder)

    /// What is sent once and forgotten is worth little work: level 1 makes 49 bytes of an event of 445, level 6
    /// makes 40 in five times the time.
    private static let level = 1
    /// Lines are gathered to frames of about so many bytes: smaller ones are compressed worse.
    private static let gathered = 512 << 10

    /// `nil` for no codec.
    init?(_ codec: Codec) {
        switch codec {
        case .none: return nil
        case .lz4: self = .lz4
        case .zstandard: self = .zstandard(ZstdEncoder(level: Self.level))
        }
    }

    var codec: Codec {
        switch self {
        case .lz4: .lz4
        case .zstandard: .zstandard
        }
    }

    /// Raw bytes that make a frame; fewer where a stored frame follows, or nothing does.
    var frameBytes: Int {
        switch self {
        case .lz4: 1
        case .zstandard: Self.gathered
        }
    }

    /// Lines at the front of an output that the next frame takes.
    func lines(of output: ScanOutput) -> Int {
        switch self {
        case .lz4: output.lines
        case .zstandard: output.bytes.count < 2 * Self.gathered ? output.lines : output.lines(within: Self.gathered)
        }
    }

    func encode(_ raw: UnsafeRawBufferPointer) -> [UInt8] {
        switch self {
        case .lz4: LZ4Frame.encode(raw)
        case .zstandard(let encoder): encoder.encode(raw)
        }
    }
}
