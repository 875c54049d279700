import SegmentFormat

/// Reads a file forwards through one buffer: what was asked for is valid until the next call.
final class FileWindow {
    private static let step = 1 << 20

    /// Bytes of the file that may be read.
    let length: UInt64
    private let file: StoreFile
    private var buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: FileWindow.step, alignment: 16)
    private var start: UInt64 = 0
    private var filled = 0

    init(_ file: StoreFile, length: UInt64) {
        self.file = file
        self.length = length
    }

    deinit { buffer.deallocate() }

    /// `count` bytes from `offset` on, fewer where the file ends before.
    func bytes(at offset: UInt64, count: Int) throws(StoreError) -> UnsafeRawBufferPointer {
        let available = Int(min(UInt64(count), length > offset ? length - offset : 0))
        if offset < start || offset + UInt64(available) > start + UInt64(filled) {
            try fill(from: offset, atLeast: available)
        }
        let from = Int(offset - start)
        let end = min(from + available, filled)
        return UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[min(from, end)..<end])
    }

    private func fill(from offset: UInt64, atLeast count: Int) throws(StoreError) {
        if buffer.count < count {
            buffer.deallocate()
            buffer = .allocate(byteCount: count + Self.step, alignment: 16)
        }
        let wanted = min(UInt64(buffer.count), length > offset ? length - offset : 0)
        start = offset
        filled = 0
        filled = try file.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<Int(wanted)]), at: offset)
    }

    /// Where the first frame magic at or behind `offset` stands.
    func firstMagic(from offset: UInt64) throws(StoreError) -> UInt64? {
        let magic = FrameHeader.magicBytes
        var from = offset
        while from + UInt64(magic.count) <= length {
            let chunk = try bytes(at: from, count: Self.step)
            guard chunk.count >= magic.count else { return nil }
            for index in 0...(chunk.count - magic.count)
            where chunk[index] == magic[0] && chunk[index..<index + magic.count].elementsEqual(magic) {
                return from + UInt64(index)
            }
            from += UInt64(chunk.count - magic.count + 1)
        }
        return nil
    }
}
