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

    /// Decodes bytes `range` of the content into `output`, which has room for just them; LZ4 blocks
    /// outside the range are stepped over. The frame's structure is checked whole (D3, D4); its
    /// content checksum only with `checkingContent`, which wants the whole range: D2 covers the same
    /// bytes already. `offset` is where the frame lies in its file.
    public static func decode(
        _ frame: UnsafeRawBufferPointer, at offset: UInt64, rawLength: Int, range: Range<Int>,
        into output: UnsafeMutableRawBufferPointer, checkingContent: Bool = false
    ) throws(FormatFault) {
        precondition(range.upperBound <= rawLength && output.count >= range.count)
        try checkHeader(frame, at: offset, rawLength: rawLength)
        var position = headerBytes
        var rawStart = 0
        while rawStart < rawLength {
            let block = try blockBytes(frame, at: position, offset: offset)
            let rawCount = min(step, rawLength - rawStart)
            let wanted = range.clamped(to: rawStart..<rawStart + rawCount)
            if !wanted.isEmpty {
                let destination = UnsafeMutableRawBufferPointer(
                    rebasing: output[wanted.lowerBound - range.lowerBound..<wanted.upperBound - range.lowerBound])
                let slice = wanted.lowerBound - rawStart..<wanted.upperBound - rawStart
                guard decodeBlock(block, rawCount: rawCount, slice: slice, into: destination) else {
                    throw FormatFault(.dataDecode, at: offset + UInt64(position))
                }
            }
            position += 4 + block.bytes.count
            rawStart += rawCount
        }
        guard frame.count == position + 8, frame.loadUnaligned(fromByteOffset: position, as: UInt32.self) == 0 else {
            throw FormatFault(.dataFrame, at: offset + UInt64(position))
        }
        guard checkingContent else { return }
        let stored = UInt32(littleEndian: frame.loadUnaligned(fromByteOffset: position + 4, as: UInt32.self))
        guard stored == xxh32(UnsafeRawBufferPointer(rebasing: output[0..<range.count])) else {
            throw FormatFault(.dataDecode, at: offset + UInt64(position) + 4)
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

    private static func blockBytes(
        _ frame: UnsafeRawBufferPointer, at position: Int, offset: UInt64
    ) throws(FormatFault) -> Block {
        guard position + 4 <= frame.count else { throw FormatFault(.dataFrame, at: offset + UInt64(position)) }
        let word = UInt32(littleEndian: frame.loadUnaligned(fromByteOffset: position, as: UInt32.self))
        let count = Int(word & ~uncompressedBit)
        guard count > 0, count <= step, position + 4 + count <= frame.count else {
            throw FormatFault(.dataFrame, at: offset + UInt64(position))
        }
        let bytes = UnsafeRawBufferPointer(rebasing: frame[position + 4..<position + 4 + count])
        return Block(bytes: bytes, isCompressed: word & uncompressedBit == 0)
    }

    private static func decodeBlock(
        _ block: Block, rawCount: Int, slice: Range<Int>, into output: UnsafeMutableRawBufferPointer
    ) -> Bool {
        guard block.isCompressed else {
            guard block.bytes.count == rawCount else { return false }
            output.copyMemory(from: UnsafeRawBufferPointer(rebasing: block.bytes[slice]))
            return true
        }
        if slice == 0..<rawCount {
            return unpack(block.bytes, into: output, rawCount: rawCount)
        }
        return withUnsafeTemporaryAllocation(byteCount: step, alignment: 16) { scratch in
            guard unpack(block.bytes, into: scratch, rawCount: rawCount) else { return false }
            output.copyMemory(from: UnsafeRawBufferPointer(rebasing: scratch[slice]))
            return true
        }
    }

    private static func unpack(
        _ packed: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer, rawCount: Int
    ) -> Bool {
        LZ4_decompress_safe(packed.baseAddress, output.baseAddress, Int32(packed.count), Int32(rawCount))
            == Int32(rawCount)
    }
}
