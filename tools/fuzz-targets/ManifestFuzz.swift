// Arbitrary sections under a right checksum must be refused as a manifest and as an active mark, or
// decode to what encodes to the same bytes. So must arbitrary bytes without one.

@testable import SegmentFormat

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzManifest(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = UnsafeRawBufferPointer(start: bytes, count: count)
    _ = try? Manifest.decode(input)
    _ = try? ActiveMark.decode(input)
    stamped(.manifest, input).withUnsafeBytes { frame in
        guard let manifest = try? Manifest.decode(frame) else { return }
        precondition(manifest.firstUnreserved.value >= 1 && manifest.generation < .max)
        precondition(hasOptional(frame) || manifest.encoded().elementsEqual(frame), "a manifest encodes to other bytes")
    }
    stamped(.activeMark, input).withUnsafeBytes { frame in
        guard let mark = try? ActiveMark.decode(frame) else { return }
        precondition(mark.nextSequence.value >= 1)
        precondition(hasOptional(frame) || mark.encoded().elementsEqual(frame), "a mark encodes to other bytes")
    }
    return 0
}

/// A frame whose sections are `body`, under the right checksum.
private func stamped(_ kind: FrameKind, _ body: UnsafeRawBufferPointer) -> [UInt8] {
    var frame = ByteWriter()
    frame.put(FrameHeader.magic)
    frame.put(UInt32(body.count + 16))
    frame.put(kind.rawValue)
    frame.put(UInt32(1))
    frame.put(xxh3(body))
    frame.put(body)
    return frame.bytes
}

/// Sections that a reader may step over are not encoded again.
private func hasOptional(_ frame: UnsafeRawBufferPointer) -> Bool {
    var position = FrameHeader.byteCount
    while position + 8 <= frame.count {
        let tag = UInt16(littleEndian: frame.loadUnaligned(fromByteOffset: position, as: UInt16.self))
        if tag & 0x8000 != 0 { return true }
        position += 8 + Int(UInt32(littleEndian: frame.loadUnaligned(fromByteOffset: position + 4, as: UInt32.self)))
    }
    return false
}
