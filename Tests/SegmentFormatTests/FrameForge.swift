@testable import SegmentFormat

/// `Tag`, where the `Testing` module has one too.
typealias SectionTag = Tag

/// A frame taken apart, to be changed and put together again under a checksum that is right: what an
/// encoder would never write.
struct FrameForge {
    struct Section {
        var tag: UInt16
        var reserved: UInt16 = 0
        var bytes: [UInt8]
        /// What the section says of its length, where that is not so.
        var statedLength: UInt32?
    }

    var kind: UInt32
    var versionAndZero: UInt32 = 1
    var sections: [Section] = []

    /// Takes a valid frame apart.
    init(_ frame: [UInt8]) {
        kind = frame.integer(at: 8)
        var position = FrameHeader.byteCount
        while position < frame.count {
            let length = Int(frame.integer(at: position + 4, as: UInt32.self))
            let bytes = Array(frame[position + 8..<position + 8 + length])
            sections.append(Section(tag: frame.integer(at: position), bytes: bytes))
            position += 8 + length
        }
    }

    /// A frame of just these sections.
    init(_ kind: FrameKind, _ sections: [Section]) {
        self.kind = kind.rawValue
        self.sections = sections
    }

    subscript(tag: Tag) -> [UInt8] {
        get { sections.first { $0.tag == tag.rawValue }?.bytes ?? [] }
        set {
            if let index = sections.firstIndex(where: { $0.tag == tag.rawValue }) {
                sections[index].bytes = newValue
            } else {
                sections.append(Section(tag: tag.rawValue, bytes: newValue))
            }
        }
    }

    mutating func remove(_ tag: Tag) { sections.removeAll { $0.tag == tag.rawValue } }

    func frame(salt: Salt = .none) -> [UInt8] {
        var body = ByteWriter()
        for section in sections {
            body.put(section.tag)
            body.put(section.reserved)
            body.put(section.statedLength ?? UInt32(section.bytes.count))
            body.put(section.bytes)
        }
        var frame = ByteWriter()
        frame.put(FrameHeader.magic)
        frame.put(UInt32(body.bytes.count + 16))
        frame.put(kind)
        frame.put(versionAndZero)
        frame.put(body.bytes.withUnsafeBytes { xxh3($0, seed: salt.value) })
        frame.put(body.bytes)
        return frame.bytes
    }

    /// Where the bytes of a section begin in `frame()`.
    func offset(of tag: Tag) -> Int {
        var offset = FrameHeader.byteCount
        for section in sections {
            if section.tag == tag.rawValue { return offset + 8 }
            offset += 8 + section.bytes.count
        }
        return offset
    }
}

extension [UInt8] {
    func integer<Value: FixedWidthInteger>(at offset: Int, as: Value.Type = Value.self) -> Value {
        withUnsafeBytes { Value(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: Value.self)) }
    }

    mutating func set<Value: FixedWidthInteger>(_ value: Value, at offset: Int) {
        Swift.withUnsafeBytes(of: value.littleEndian) { replaceSubrange(offset..<offset + $0.count, with: $0) }
    }

    /// What decoding the bytes gives.
    func decoded<Value>(
        _ decode: (UnsafeRawBufferPointer) throws(FormatFault) -> Value
    ) -> Result<Value, FormatFault> {
        withUnsafeBytes { bytes in
            do throws(FormatFault) { return .success(try decode(bytes)) } catch { return .failure(error) }
        }
    }
}

extension Result where Failure == FormatFault {
    var fault: FormatFault? { if case .failure(let fault) = self { fault } else { nil } }
    var value: Success? { if case .success(let value) = self { value } else { nil } }
}
