/// A coding that a body may come in (RFC 9110 §8.4.1). Each is a row of frames, one behind the other; gzip
/// calls them members.
public enum BodyCoding: String, CaseIterable, Sendable {
    /// RFC 1952.
    case gzip
    /// LZ4 frames, format 1.6. Not registered; this is what others call it.
    case lz4
    /// RFC 8878, with a window of at most 8 MiB (RFC 9659).
    case zstd

    /// What a field value names it, in any case of letters. `nil` for every other coding.
    public init?(token: some StringProtocol) {
        let name = token.lowercased()
        self.init(rawValue: name == "x-gzip" ? "gzip" : name)
    }

    /// Whether a frame begins with these bytes or goes on behind them, lowest byte first.
    func beginsFrame(_ bytes: FrameStart) -> Bool {
        switch self {
        case .gzip: bytes.begins(0x8B1F, of: 2)
        case .lz4: bytes.begins(0x184D_2204, of: 4) || bytes.isSkippable
        case .zstd: bytes.begins(0xFD2F_B528, of: 4) || bytes.isSkippable
        }
    }

    var magicBytes: Int { self == .gzip ? 2 : 4 }

    func makeStream() -> any FrameStream {
        switch self {
        case .gzip: GzipStream()
        case .lz4: LZ4Stream()
        case .zstd: ZstandardStream()
        }
    }
}

/// The first bytes of a frame, as far as they are here.
struct FrameStart {
    private(set) var word: UInt32 = 0
    private(set) var count = 0

    mutating func append(_ byte: UInt8) {
        word |= UInt32(byte) << (8 * UInt32(count))
        count += 1
    }

    func begins(_ magic: UInt32, of bytes: Int) -> Bool {
        count <= bytes && (magic ^ word) & mask == 0
    }

    /// A frame without content, of LZ4 and of Zstandard: 0x184D2A5?.
    var isSkippable: Bool { (0x184D_2A50 ^ word) & mask & ~0xF == 0 }

    private var mask: UInt32 { count == 4 ? .max : 1 << (8 * UInt32(count)) - 1 }
}
