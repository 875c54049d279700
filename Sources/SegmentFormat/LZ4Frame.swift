import CLZ4

// The data frame of a hot block (SPEC D3): the LZ4 frame format 1.6.2 with one fixed descriptor,
// written with the block API because that gives independent 64 KiB blocks that can be decoded alone.

/// Encodes and decodes whole frames, and slices of them.
public enum LZ4Frame {
    static let magic: UInt32 = 0x184D_2204
    /// Version 1, independent blocks, content size, content checksum.
    static let flags: UInt8 = 0x6C
    /// At most 64 KiB a block.
    static let blockSize: UInt8 = 0x40
    static let headerBytes = 15
    static let uncompressedBit: UInt32 = 0x8000_0000
    private static let step = FormatBounds.lz4BlockBytes

    /// One frame that decodes to `raw`.
    public static func encode(_ raw: UnsafeRawBufferPointer) -> [UInt8] {
        let blocks = (raw.count + step - 1) / step
        let bound = headerBytes + blocks * (4 + step) + 8
        return [UInt8](unsafeUninitializedCapacity: bound) { buffer, count in
            let output = UnsafeMutableRawBufferPointer(buffer)
            writeHeader(rawLength: raw.count, to: output)
            var end = headerBytes
            for start in stride(from: 0, to: raw.count, by: step) {
                let block = UnsafeRawBufferPointer(rebasing: raw[start..<min(start + step, raw.count)])
                end += writeBlock(block, to: output, at: end)
            }
            output.storeBytes(of: UInt32(0), toByteOffset: end, as: UInt32.self)
            output.storeBytes(of: xxh32(raw).littleEndian, toByteOffset: end + 4, as: UInt32.self)
            count = end + 8
        }
    }

    private static func writeHeader(rawLength: Int, to output: UnsafeMutableRawBufferPointer) {
        output.storeBytes(of: magic.littleEndian, as: UInt32.self)
        output[4] = flags
        output[5] = blockSize
        output.storeBytes(of: UInt64(rawLength).littleEndian, toByteOffset: 6, as: UInt64.self)
        output[14] = headerChecksum(UnsafeRawBufferPointer(output))
    }

    private static func headerChecksum(_ frame: UnsafeRawBufferPointer) -> UInt8 {
        UInt8(truncatingIfNeeded: xxh32(UnsafeRawBufferPointer(rebasing: frame[4..<14])) >> 8)
    }

    private static func writeBlock(
        _ block: UnsafeRawBufferPointer, to output: UnsafeMutableRawBufferPointer, at start: Int
    ) -> Int {
        let place = output.baseAddress.unsafelyUnwrapped + start + 4
        let packed = LZ4_compress_default(
            block.baseAddress, place, Int32(block.count), Int32(block.count - 1))
        guard packed > 0 else {
            place.copyMemory(from: block.baseAddress.unsafelyUnwrapped, byteCount: block.count)
            output.storeBytes(
                of: (UInt32(block.count) | uncompressedBit).littleEndian, toByteOffset: start, as: UInt32.self)
            return 4 + block.count
        }
        output.storeBytes(of: UInt32(packed).littleEndian, toByteOffset: start, as: UInt32.self)
        return 4 + Int(packed)
    }

    /// Where the LZ4 blocks of a frame lie: block i from `starts[i]`, its size word included, to
    /// `starts[i + 1]`. Each decodes to 64 KiB, the last to what is left.
    public struct Layout: Sendable {
        public fileprivate(set) var starts: [Int]

        /// The bytes of the frame that decode to `range` of its content.
        public func frameRange(_ range: Range<Int>) -> Range<Int> {
            starts[range.lowerBound / step]..<starts[(range.upperBound + step - 1) / step]
        }
    }

    /// Checks the structure of a frame whole (D3, D4). `offset` is where it lies in its file.
    public static func layout(
        _ frame: UnsafeRawBufferPointer, at offset: UInt64, rawLength: Int
    ) throws(FormatFault) -> Layout {
        try checkHeader(frame, at: offset, rawLength: rawLength)
        var starts = [headerBytes]
        for _ in stride(from: 0, to: rawLength, by: step) {
            let position = starts[starts.count - 1]
            guard let block = block(frame, at: position) else {
                throw FormatFault(.dataFrame, at: offset + UInt64(position))
            }
            starts.append(position + 4 + block.bytes.count)
        }
        let end = starts[starts.count - 1]
        guard frame.count == end + 8, frame.loadUnaligned(fromByteOffset: end, as: UInt32.self) == 0 else {
            throw FormatFault(.dataFrame, at: offset + UInt64(end))
        }
        return Layout(starts: starts)
    }

    /// Decodes bytes `range` of the content into `output`, which has room for just them. `part` is
    /// `layout.frameRange(range)` of the frame: no more of it is needed.
    public static func decode(
        _ part: UnsafeRawBufferPointer, of layout: Layout, at offset: UInt64, rawLength: Int, range: Range<Int>,
        into output: UnsafeMutableRawBufferPointer
    ) throws(FormatFault) {
        precondition(range.upperBound <= rawLength && output.count >= range.count)
        let partStart = layout.frameRange(range).lowerBound
        var position = range.lowerBound
        while position < range.upperBound {
            let index = position / step
            let rawStart = index * step
            let slice = position - rawStart..<min(range.upperBound - rawStart, step)
            let place = UnsafeMutableRawBufferPointer(
                rebasing: output[position - range.lowerBound..<rawStart + slice.upperBound - range.lowerBound])
            guard let block = block(part, at: layout.starts[index] - partStart),
                decodeBlock(block, rawCount: min(step, rawLength - rawStart), slice: slice, into: place)
            else { throw FormatFault(.dataDecode, at: offset + UInt64(layout.starts[index])) }
            position = rawStart + slice.upperBound
        }
    }

    /// Decodes a whole frame and checks its content checksum.
    static func verify(
        _ frame: UnsafeRawBufferPointer, at offset: UInt64, into output: UnsafeMutableRawBufferPointer
    ) throws(FormatFault) {
        let layout = try layout(frame, at: offset, rawLength: output.count)
        let range = 0..<output.count
        let part = UnsafeRawBufferPointer(rebasing: frame[layout.frameRange(range)])
        try decode(part, of: layout, at: offset, rawLength: output.count, range: range, into: output)
        let end = frame.count - 4
        let stored = UInt32(littleEndian: frame.loadUnaligned(fromByteOffset: end, as: UInt32.self))
        guard stored == xxh32(UnsafeRawBufferPointer(output)) else {
            throw FormatFault(.dataDecode, at: offset + UInt64(end))
        }
    }

    private static func checkHeader(
        _ frame: UnsafeRawBufferPointer, at offset: UInt64, rawLength: Int
    ) throws(FormatFault) {
        guard frame.count >= headerBytes + 8,
            UInt32(littleEndian: frame.loadUnaligned(as: UInt32.self)) == magic,
            frame[4] == flags, frame[5] == blockSize, frame[14] == headerChecksum(frame)
        else { throw FormatFault(.dataFrame, at: offset) }
        guard UInt64(littleEndian: frame.loadUnaligned(fromByteOffset: 6, as: UInt64.self)) == UInt64(rawLength) else {
            throw FormatFault(.dataDecode, at: offset + 6)
        }
    }

    private struct Block {
        var bytes: UnsafeRawBufferPointer
        var isCompressed: Bool
    }

    private static func block(_ bytes: UnsafeRawBufferPointer, at position: Int) -> Block? {
        guard position >= 0, position + 4 <= bytes.count else { return nil }
        let word = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt32.self))
        let count = Int(word & ~uncompressedBit)
        guard count > 0, count <= step, position + 4 + count <= bytes.count else { return nil }
        let content = UnsafeRawBufferPointer(rebasing: bytes[position + 4..<position + 4 + count])
        return Block(bytes: content, isCompressed: word & uncompressedBit == 0)
    }

    private static func decodeBlock(
        _ block: Block, rawCount: Int, slice: Range<Int>, into output: UnsafeMutableRawBufferPointer
    ) -> Bool {
        guard block.isCompressed else {
            guard block.bytes.count == rawCount else { return false }
            output.copyMemory(from: UnsafeRawBufferPointer(rebasing: block.bytes[slice]))
            return true
        }
        if slice.lowerBound == 0 { return unpack(block.bytes, into: output, slice.upperBound, of: rawCount) }
        return withUnsafeTemporaryAllocation(byteCount: step, alignment: 16) { scratch in
            guard unpack(block.bytes, into: scratch, slice.upperBound, of: rawCount) else { return false }
            output.copyMemory(from: UnsafeRawBufferPointer(rebasing: scratch[slice]))
            return true
        }
    }

    /// Decodes the first `count` bytes of a block that holds `rawCount`; whether it holds just as many
    /// is only seen when all are wanted.
    private static func unpack(
        _ packed: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer, _ count: Int, of rawCount: Int
    ) -> Bool {
        let (packedCount, wanted) = (Int32(packed.count), Int32(count))
        guard count == rawCount else {
            return LZ4_decompress_safe_partial(packed.baseAddress, output.baseAddress, packedCount, wanted, wanted)
                == wanted
        }
        return LZ4_decompress_safe(packed.baseAddress, output.baseAddress, packedCount, wanted) == wanted
    }
}
