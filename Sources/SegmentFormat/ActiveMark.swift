/// How far the active segment is durable, for readers that do not hold the lock (SPEC A1).
public struct ActiveMark: Equatable, Sendable {
    /// Bytes of the one frame that the file holds.
    public static let byteCount = FrameHeader.byteCount + 8 + 40

    public var segment: SegmentNumber
    /// Also in the head, which may be what is damaged.
    public var salt: Salt
    public var length: UInt64
    public var lastCommit: CommitNumber
    public var nextSequence: Sequence

    public init(
        segment: SegmentNumber, salt: Salt, length: UInt64, lastCommit: CommitNumber, nextSequence: Sequence
    ) {
        self.segment = segment
        self.salt = salt
        self.length = length
        self.lastCommit = lastCommit
        self.nextSequence = nextSequence
    }

    public func encoded() -> [UInt8] {
        var frame = FrameWriter(.activeMark)
        frame.section(.active) {
            $0.put(segment.value)
            $0.put(salt.value)
            $0.put(length)
            $0.put(lastCommit.value)
            $0.put(nextSequence.value)
        }
        return frame.finish(salt: .none)
    }

    public static func decode(_ bytes: UnsafeRawBufferPointer) throws(FormatFault) -> ActiveMark {
        let sections = try Sections(bytes, at: 0, kind: .activeMark, salt: .none, allowed: [.active])
        var reader = try sections.required(.active)
        let segment = SegmentNumber(try reader.u64())
        let salt = Salt(try reader.u64())
        let length = try reader.u64()
        let commit = CommitNumber(try reader.u64())
        let mark = ActiveMark(
            segment: segment, salt: salt, length: length, lastCommit: commit, nextSequence: Sequence(try reader.u64()))
        try reader.finished()
        guard (1...FormatBounds.counters).contains(mark.nextSequence.value) else {
            throw FormatFault(.activeMark, at: reader.origin + 32)
        }
        return mark
    }
}
