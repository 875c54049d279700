// Frames and sections (SPEC §2): every byte of ours in a segment file stands in a skippable frame,
// so that LZ4 and Zstandard decoders step over it.

/// What a frame is for; the raw value is its four letters on disk.
public enum FrameKind: UInt32, CaseIterable, Sendable {
    case head = 0x484B_4244
    case meta = 0x4D4B_4244
    case seal = 0x534B_4244
    case manifest = 0x464B_4244
    case activeMark = 0x414B_4244

    /// The most bytes that may follow a frame's length field (SPEC F3).
    public var bound: Int {
        switch self {
        case .head: 64 << 10
        case .meta: 4 << 20
        case .seal: 64 << 20
        case .manifest: 16 << 20
        case .activeMark: 4 << 10
        }
    }
}

/// The fixed start of a frame.
public enum FrameHeader {
    public static let magic: UInt32 = 0x184D_2A5B
    public static let magicBytes: [UInt8] = [0x5B, 0x2A, 0x4D, 0x18]
    static let version: UInt16 = 1
    /// Bytes before the length starts to count.
    static let lengthEnd = 8
    /// Bytes before the sections: magic 4, length 4, kind 4, version 2, zero 2, checksum 8.
    public static let byteCount = lengthEnd + 16

    /// Reads the first `byteCount` bytes of a frame and returns the length of all of it, which is
    /// within the bound of its kind. `bytes` may be shorter: that is `frameTruncated`.
    public static func frameLength(
        _ bytes: UnsafeRawBufferPointer, at offset: UInt64, kind: FrameKind
    ) throws(FormatFault) -> Int {
        guard bytes.count >= 4 else { throw FormatFault(.frameTruncated, at: offset) }
        guard bytes.loadUnaligned(as: UInt32.self).littleEndian == magic else {
            throw FormatFault(.frameMagic, at: offset)
        }
        guard bytes.count >= byteCount else { throw FormatFault(.frameTruncated, at: offset) }
        let length = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
        guard length >= 16, length <= kind.bound else { throw FormatFault(.frameLength, at: offset + 4) }
        guard UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self)) == kind.rawValue else {
            throw FormatFault(.frameKind, at: offset + 8)
        }
        let versionAndZero = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 12, as: UInt32.self))
        guard versionAndZero == UInt32(version) else { throw FormatFault(.frameVersion, at: offset + 12) }
        return lengthEnd + Int(length)
    }

    /// The kind of the frame that begins here, as far as its header says so.
    public static func kind(_ bytes: UnsafeRawBufferPointer) -> FrameKind? {
        guard bytes.count >= byteCount, bytes.loadUnaligned(as: UInt32.self).littleEndian == magic else { return nil }
        return FrameKind(rawValue: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self)))
    }
}

/// Section tags (SPEC §2). Bit 15: a reader that does not know the tag may step over it.
enum Tag: UInt16, CaseIterable {
    case identity = 0x0001
    case stream = 0x0002
    case time = 0x0003
    case replacedSegments = 0x8004
    case block = 0x0010
    case runs = 0x0011
    case sequenceColumn = 0x0012
    case deliveries = 0x0013
    case sources = 0x0014
    case totals = 0x0020
    case blockIndex = 0x0021
    case keyIndex = 0x8023
    case keyFilter = 0x8024
    case fileHash = 0x0025
    case end = 0x003F
    case manifest = 0x0040
    case streamTime = 0x0041
    case sequences = 0x0042
    case segments = 0x0043
    case cleanClose = 0x0044
    case tombstones = 0x0046
    case holds = 0x0047
    case policies = 0x0048
    case jobs = 0x0049
    case reach = 0x004A
    case checkpoints = 0x004B
    case active = 0x0060

    static let optionalBit: UInt16 = 0x8000
}

/// Builds one frame, section by section.
struct FrameWriter {
    private var writer = ByteWriter()
    private let kind: FrameKind

    init(_ kind: FrameKind) {
        self.kind = kind
        writer.put(FrameHeader.magic)
        writer.put(UInt32(0))
        writer.put(kind.rawValue)
        writer.put(FrameHeader.version)
        writer.put(UInt16(0))
        writer.put(UInt64(0))
    }

    mutating func section(_ tag: Tag, _ fill: (inout ByteWriter) -> Void) {
        writer.put(tag.rawValue)
        writer.put(UInt16(0))
        let lengthIndex = writer.bytes.count
        writer.put(UInt32(0))
        fill(&writer)
        writer.replace(at: lengthIndex, with: UInt32(writer.bytes.count - lengthIndex - 4))
    }

    /// A section that is left out when its list is empty.
    mutating func list<Element>(_ tag: Tag, _ elements: [Element], _ fill: (Element, inout ByteWriter) -> Void) {
        guard !elements.isEmpty else { return }
        section(tag) { writer in
            for element in elements { fill(element, &writer) }
        }
    }

    var byteCount: Int { writer.bytes.count }

    consuming func finish(salt: Salt) -> [UInt8] {
        let length = writer.bytes.count - FrameHeader.lengthEnd
        precondition(length <= kind.bound, "a \(kind) frame of \(length) bytes")
        writer.replace(at: 4, with: UInt32(length))
        let checksum = writer.bytes.withUnsafeBytes {
            xxh3(UnsafeRawBufferPointer(rebasing: $0[FrameHeader.byteCount...]), seed: salt.value)
        }
        writer.replace(at: 16, with: checksum)
        return writer.bytes
    }
}

/// A frame whose checksum holds, taken apart into its sections.
struct Sections {
    private var found: [(tag: Tag, reader: ByteReader)] = []
    private let origin: UInt64
    /// Bytes of the whole frame.
    let frameLength: Int

    /// Validates F1–F6 and S1–S4 of the frame at the start of `bytes`, which may go on behind it.
    init(
        _ bytes: UnsafeRawBufferPointer, at offset: UInt64, kind: FrameKind, salt: Salt, allowed: Set<Tag>
    ) throws(FormatFault) {
        origin = offset
        frameLength = try FrameHeader.frameLength(bytes, at: offset, kind: kind)
        guard bytes.count >= frameLength else { throw FormatFault(.frameTruncated, at: offset) }
        let body = UnsafeRawBufferPointer(rebasing: bytes[FrameHeader.byteCount..<frameLength])
        let stored = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self))
        guard xxh3(body, seed: salt.value) == stored else { throw FormatFault(.frameChecksum, at: offset + 16) }

        var reader = ByteReader(body, at: offset + UInt64(FrameHeader.byteCount), clause: .sectionTruncated)
        var last = -1
        while reader.remaining > 0 {
            let start = reader.origin + UInt64(reader.position)
            let rawTag = try reader.u16()
            let reserved = try reader.u16()
            let number = Int(rawTag & ~Tag.optionalBit)
            guard number > last, reserved == 0 else { throw FormatFault(.sectionOrder, at: start) }
            last = number
            let length = Int(try reader.u32())
            let contentOffset = reader.origin + UInt64(reader.position)
            let content = try reader.raw(length)
            guard let tag = Tag(rawValue: rawTag) else {
                guard rawTag & Tag.optionalBit != 0 else { throw FormatFault(.sectionUnknown, at: start) }
                continue
            }
            guard allowed.contains(tag) else { throw FormatFault(.sectionMissing, at: start) }
            found.append((tag, ByteReader(content, at: contentOffset, clause: .sectionLength)))
        }
    }

    /// Where a fault of the whole frame is reported.
    var offset: UInt64 { origin }

    func optional(_ tag: Tag) -> ByteReader? {
        found.first { $0.tag == tag }?.reader
    }

    func optional(_ tag: Tag, clause: Clause) -> ByteReader? {
        optional(tag).map { ByteReader($0.bytes, at: $0.origin, clause: clause) }
    }

    func required(_ tag: Tag) throws(FormatFault) -> ByteReader {
        guard let reader = optional(tag) else { throw FormatFault(.sectionMissing, at: origin) }
        return reader
    }

    /// The elements of a list section of fixed-size records, none where it is absent.
    func list<Element>(
        _ tag: Tag, bytesEach: Int, atMost bound: Int = .max, clause: Clause = .sectionLength,
        _ take: (inout ByteReader) throws(FormatFault) -> Element
    ) throws(FormatFault) -> [Element] {
        guard var reader = optional(tag, clause: clause) else { return [] }
        let count = reader.remaining / bytesEach
        guard count > 0, reader.remaining % bytesEach == 0, count <= bound else { throw reader.fault }
        var elements: [Element] = []
        elements.reserveCapacity(count)
        for _ in 0..<count { elements.append(try take(&reader)) }
        return elements
    }
}
