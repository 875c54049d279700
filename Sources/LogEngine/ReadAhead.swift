import SegmentFormat

/// Reads segments through one buffer: where a read goes on behind the last one, many bytes are read at a time, and none
/// twice. What it gives is valid until the next call.
final class ReadAhead {
    private static let step = 256 << 10

    private var buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: ReadAhead.step, alignment: 16)
    /// What the front of the buffer holds.
    private var extent: (segment: SegmentNumber, start: UInt64, count: Int)?

    deinit { buffer.deallocate() }

    /// `count` bytes of a segment, fewer where the file ends.
    func bytes(
        of segment: OpenSegment, from offset: UInt64, count: Int
    ) throws(StoreError) -> UnsafeRawBufferPointer {
        if let held = held(of: segment, from: offset, count: count) { return held }
        // What was read of it already is moved to the front, and not read again.
        let known = alreadyRead(segment, offset)
        let wanted = max(count, known == nil ? 0 : Self.step)
        extent = nil
        makeRoom(for: wanted, keeping: known ?? 0..<0)
        let kept = known?.count ?? 0
        let place = UnsafeMutableRawBufferPointer(rebasing: buffer[kept..<wanted])
        let got = kept + (try segment.file.read(into: place, at: offset + UInt64(kept)))
        extent = (segment.number, offset, got)
        return slice(from: 0, min(count, got))
    }

    /// The same of what was read already; `nil` where some of it was not.
    func held(of segment: OpenSegment, from offset: UInt64, count: Int) -> UnsafeRawBufferPointer? {
        guard let extent, extent.segment == segment.number, offset >= extent.start,
            offset + UInt64(count) <= extent.start + UInt64(extent.count)
        else { return nil }
        return slice(from: Int(offset - extent.start), count)
    }

    /// The part of the buffer that holds a segment from `offset` on; `nil` where the last bytes that were read do
    /// not go up to there.
    private func alreadyRead(_ segment: OpenSegment, _ offset: UInt64) -> Range<Int>? {
        guard let extent, extent.segment == segment.number, offset >= extent.start,
            offset <= extent.start + UInt64(extent.count)
        else { return nil }
        return Int(offset - extent.start)..<extent.count
    }

    /// Moves a part of the buffer to its front, where `count` bytes have room.
    private func makeRoom(for count: Int, keeping part: Range<Int>) {
        let known = UnsafeRawBufferPointer(rebasing: buffer[part])
        guard buffer.count < count else { return buffer.copyMemory(from: known) }
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: count + count / 2, alignment: 16)
        larger.copyMemory(from: known)
        buffer.deallocate()
        buffer = larger
    }

    private func slice(from start: Int, _ count: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[start..<start + count])
    }
}
