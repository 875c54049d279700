@testable import SegmentFormat

/// A Zstandard frame put together by hand, of blocks that are stored as they are (RFC 8878).
struct ZstdForge {
    var magic = ZstdFrame.magic
    var descriptor: UInt8
    /// What stands between the descriptor and the blocks.
    var fields: [UInt8]
    var blocks: [Block]
    var checksum: [UInt8]

    struct Block {
        var isLast = false
        /// 0: as it is, 1: one byte over and over, 2: compressed, 3: reserved.
        var kind: UInt32 = 0
        var size: Int?
        var bytes: [UInt8]
    }

    /// A frame of `content`, 256 to 65,791 bytes, in two blocks. It is a valid one.
    init(_ content: [UInt8]) {
        descriptor = 0x64
        fields = []
        let half = content.count / 2
        blocks = [Block(bytes: Array(content[..<half])), Block(isLast: true, bytes: Array(content[half...]))]
        checksum = Array(ZstdFrameTests.encode(content).suffix(4))
        stateSize(content.count)
    }

    mutating func stateSize(_ size: Int) {
        fields = [UInt8(truncatingIfNeeded: size - 256), UInt8((size - 256) >> 8)]
    }

    var bytes: [UInt8] {
        var frame = ByteWriter()
        frame.put(magic)
        frame.put(descriptor)
        frame.put(fields)
        for block in blocks {
            let word = (block.isLast ? 1 : 0) | block.kind << 1 | UInt32(block.size ?? block.bytes.count) << 3
            for shift in [0, 8, 16] as [UInt32] { frame.put(UInt8(truncatingIfNeeded: word >> shift)) }
            frame.put(block.bytes)
        }
        frame.put(checksum)
        return frame.bytes
    }
}
