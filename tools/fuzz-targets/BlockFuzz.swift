// Arbitrary bytes must be refused as a segment's frames, or decode to what encodes to the same bytes.
//
// Checksums would stop nearly every input at the door. So the bytes are also taken as the sections of
// a frame that is stamped with a checksum that is right, and as the blocks of an LZ4 frame and of a
// Zstandard frame.

@testable import SegmentFormat

private let salt = Salt(7)
private let segment = SegmentNumber(1)
private let sealOffset: UInt64 = 1 << 20

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzBlock(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = UnsafeRawBufferPointer(start: bytes, count: count)
    walk(input)
    stamped(.head, input, .none).withUnsafeBytes { checkHead($0) }
    stamped(.meta, input, salt).withUnsafeBytes { checkMeta($0) }
    stamped(.seal, input, salt).withUnsafeBytes { checkSeal($0) }
    checkData(input)
    return 0
}

/// A frame whose sections are `body`, under the right checksum.
private func stamped(_ kind: FrameKind, _ body: UnsafeRawBufferPointer, _ salt: Salt) -> [UInt8] {
    var frame = ByteWriter()
    frame.put(FrameHeader.magic)
    frame.put(UInt32(body.count + 16))
    frame.put(kind.rawValue)
    frame.put(UInt32(1))
    frame.put(xxh3(body, seed: salt.value))
    frame.put(body)
    return frame.bytes
}

/// As a file: whatever frames it claims to have.
private func walk(_ file: UnsafeRawBufferPointer) {
    guard let (head, length) = try? SegmentHead.decode(file) else { return }
    var position = length
    while position < file.count {
        let rest = UnsafeRawBufferPointer(rebasing: file[position...])
        let found = try? BlockMeta.decode(rest, at: UInt64(position), segment: head.segment, salt: head.salt)
        guard let (meta, metaLength) = found else { return }
        let data = UnsafeRawBufferPointer(rebasing: rest.dropFirst(metaLength).prefix(meta.storedLength))
        try? BlockData.verify(data, of: meta, at: UInt64(position))
        position += metaLength + data.count
    }
}

private func checkHead(_ frame: UnsafeRawBufferPointer) {
    guard let (head, length) = try? SegmentHead.decode(frame) else { return }
    precondition(length == frame.count)
    precondition(hasUnknown(frame) || head.encoded().elementsEqual(frame), "a head encodes to other bytes")
}

private func checkMeta(_ frame: UnsafeRawBufferPointer) {
    guard let (meta, _) = try? BlockMeta.decode(frame, at: 100, segment: segment, salt: salt) else { return }
    precondition(hasUnknown(frame) || meta.encoded(salt: salt).elementsEqual(frame), "a meta encodes to other bytes")
    precondition(meta.runs.reduce(0) { $0 + $1.lines } == meta.lines)
    guard case .perLine(let offsets) = meta.arrangement else { return }
    precondition(offsets.count == meta.lines)
    precondition(offsets.allSatisfy { meta.firstSequence.value + $0 <= meta.lastSequence.value })
}

private func checkSeal(_ frame: UnsafeRawBufferPointer) {
    guard let seal = try? Seal.decode(frame, at: sealOffset, segment: segment, salt: salt) else { return }
    precondition(seal.index.last.map { $0.end == sealOffset } ?? true)
    precondition(hasUnknown(frame) || seal.encoded(salt: salt).elementsEqual(frame), "a seal encodes to other bytes")
}

/// Sections that this version steps over are not encoded again.
private func hasUnknown(_ frame: UnsafeRawBufferPointer) -> Bool {
    var position = FrameHeader.byteCount
    while position + 8 <= frame.count {
        let tag = UInt16(littleEndian: frame.loadUnaligned(fromByteOffset: position, as: UInt16.self))
        if tag & 0x8000 != 0, tag != 0x8004 { return true }
        position += 8 + Int(UInt32(littleEndian: frame.loadUnaligned(fromByteOffset: position + 4, as: UInt32.self)))
    }
    return false
}

/// The first two bytes choose a length and a slice; the others are the blocks of a frame.
private func checkData(_ input: UnsafeRawBufferPointer) {
    guard input.count >= 2 else { return }
    let rawLength = Int(input[0]) * 700 + 1
    let start = rawLength * Int(input[1]) / 256
    let slices = [0..<rawLength, start..<rawLength, start..<min(rawLength, start + 100)]
    let blocks = UnsafeRawBufferPointer(rebasing: input[2...])
    lz4Frame(blocks, rawLength).withUnsafeBytes { frame in
        for slice in slices { decodeLZ4(frame, rawLength, slice) }
    }
    zstdFrame(blocks, rawLength).withUnsafeBytes { frame in
        for slice in slices { decodeZstd(frame, rawLength, slice) }
    }
}

private func lz4Frame(_ blocks: UnsafeRawBufferPointer, _ rawLength: Int) -> [UInt8] {
    var frame = ByteWriter()
    frame.put(LZ4Frame.magic)
    frame.put(LZ4Frame.flags)
    frame.put(LZ4Frame.blockSize)
    frame.put(UInt64(rawLength))
    let descriptor = Array(frame.bytes[4..<14])
    frame.put(UInt8(truncatingIfNeeded: descriptor.withUnsafeBytes { xxh32($0) } >> 8))
    frame.put(blocks)
    frame.put(UInt64(0))
    return frame.bytes
}

/// `blocks` end with the checksum.
private func zstdFrame(_ blocks: UnsafeRawBufferPointer, _ rawLength: Int) -> [UInt8] {
    var frame = ByteWriter()
    frame.put(ZstdFrame.magic)
    switch rawLength {
    case ..<256:
        frame.put(UInt8(0x24))
        frame.put(UInt8(rawLength))
    case ..<65_792:
        frame.put(UInt8(0x64))
        frame.put(UInt16(rawLength - 256))
    default:
        frame.put(UInt8(0xA4))
        frame.put(UInt32(rawLength))
    }
    frame.put(blocks)
    return frame.bytes
}

/// What passes the check must decode to the same bytes, whole and in part; what does not, must be refused.
private func decodeZstd(_ frame: UnsafeRawBufferPointer, _ rawLength: Int, _ range: Range<Int>) {
    let isFrame = (try? ZstdFrame.check(frame, at: 0, rawLength: rawLength)) != nil
    let whole = decodedZstd(frame, rawLength, 0..<rawLength)
    let part = decodedZstd(frame, rawLength, range)
    precondition(whole.map { $0[range].elementsEqual(part ?? []) } ?? (part == nil), "a slice decodes to other bytes")
    if isFrame, let whole {
        let again = whole.withUnsafeBytes { ZstdEncoder(level: 1).encode($0) }
        precondition(again.withUnsafeBytes { decodedZstd($0, rawLength, 0..<rawLength) } == whole, "other bytes again")
    }
}

private func decodedZstd(_ frame: UnsafeRawBufferPointer, _ rawLength: Int, _ range: Range<Int>) -> [UInt8]? {
    var output = [UInt8](repeating: 0, count: range.count)
    let isDecoded = output.withUnsafeMutableBytes {
        (try? ZstdFrame.decode(frame, at: 0, rawLength: rawLength, range: range, into: $0)) != nil
    }
    return isDecoded ? output : nil
}

private func decodeLZ4(_ frame: UnsafeRawBufferPointer, _ rawLength: Int, _ range: Range<Int>) {
    guard let layout = try? LZ4Frame.layout(frame, at: 0, rawLength: rawLength) else { return }
    let output = UnsafeMutableRawBufferPointer.allocate(byteCount: range.count, alignment: 1)
    defer { output.deallocate() }
    let part = UnsafeRawBufferPointer(rebasing: frame[layout.frameRange(range)])
    try? LZ4Frame.decode(part, of: layout, at: 0, rawLength: rawLength, range: range, into: output)
}
