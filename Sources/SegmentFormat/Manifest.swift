// Which segments live, and what the store must not forget (SPEC §7).

/// The state of a store after `close`: its active segment is known to the byte.
public struct CleanClose: Hashable, Sendable {
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

    func put(into writer: inout ByteWriter) {
        writer.put(segment.value)
        writer.put(salt.value)
        writer.put(length)
        writer.put(lastCommit.value)
        writer.put(nextSequence.value)
    }

    init(from section: ByteReader) throws(FormatFault) {
        var reader = section
        segment = SegmentNumber(try reader.u64())
        salt = Salt(try reader.u64())
        length = try reader.u64()
        lastCommit = CommitNumber(try reader.u64())
        nextSequence = Sequence(try reader.u64())
        try reader.finished()
        guard (1...FormatBounds.counters).contains(nextSequence.value) else {
            throw FormatFault(.manifestHeader, at: reader.origin + 32)
        }
    }
}

public struct Manifest: Equatable, Sendable {
    public var store: StoreID
    public var generation: UInt64
    /// Keys the hashes that recognise deliveries.
    public var deliverySecret: Hash128
    /// Milliseconds, floored to the resolution.
    public var created: UInt64
    public var stream: StreamName
    public var resolution: Resolution
    public var horizon: Bucket
    public var eraseCount: UInt64
    /// Sequences from this one on have never been given out.
    public var firstUnreserved: Sequence
    public var highestSegment: SegmentNumber
    /// Files in `hot/` from this number on live though they are not listed; lower ones do not. `nil`: from
    /// the one above the highest listed one.
    public var firstUnlisted: SegmentNumber?
    /// The highest sequence that purge has removed; 0 where it never did.
    public var purgedThrough: Sequence
    public var segments: [SegmentEntry]
    public var cleanClose: CleanClose?
    public var lists: ManifestLists

    public init(
        store: StoreID, deliverySecret: Hash128, created: UInt64, stream: StreamName, resolution: Resolution
    ) {
        self.store = store
        generation = 1
        self.deliverySecret = deliverySecret
        self.created = created
        self.stream = stream
        self.resolution = resolution
        horizon = .earliest
        eraseCount = 0
        firstUnreserved = .first
        highestSegment = SegmentNumber(0)
        firstUnlisted = nil
        purgedThrough = Sequence(0)
        segments = []
        cleanClose = nil
        lists = ManifestLists()
    }

    /// Files in `hot/` from this number on live though they are not listed.
    public var firstLiveUnlisted: SegmentNumber {
        firstUnlisted ?? segments.last?.segment.next ?? SegmentNumber(1)
    }

    /// Changes which segments are listed: `active` takes appends, and no number above `highest` was used.
    public mutating func list(
        _ added: [SegmentEntry], removing removed: Set<SegmentNumber> = [], active: SegmentNumber,
        highest: SegmentNumber
    ) {
        segments.removeAll { removed.contains($0.segment) }
        segments += added
        segments.sort { $0.segment < $1.segment }
        highestSegment = max(highestSegment, highest)
        firstUnlisted = nil
        if firstLiveUnlisted != active { firstUnlisted = active }
    }

    public func encoded() -> [UInt8] {
        var frame = FrameWriter(.manifest)
        frame.section(.stream) { $0.put(stream.description.utf8) }
        frame.section(.manifest) {
            $0.put(store.value)
            $0.put(generation)
            $0.put(deliverySecret)
            $0.put(created)
        }
        frame.section(.streamTime) {
            $0.put(resolution.milliseconds)
            $0.put(horizon.milliseconds)
            $0.put(eraseCount)
        }
        frame.section(.sequences) {
            $0.put(firstUnreserved.value)
            $0.put(highestSegment.value)
        }
        frame.list(.segments, segments) { $0.put(into: &$1) }
        if let cleanClose { frame.section(.cleanClose) { cleanClose.put(into: &$0) } }
        lists.put(into: &frame)
        if firstUnlisted != nil || purgedThrough > Sequence(0) {
            frame.section(.reach) {
                $0.put(firstUnlisted?.value ?? 0)
                $0.put(purgedThrough.value)
            }
        }
        frame.list(.checkpoints, lists.checkpoints) { $0.put(into: &$1) }
        return frame.finish(salt: .none)
    }

    /// Decodes a manifest that must be all of `bytes`.
    public static func decode(_ bytes: UnsafeRawBufferPointer) throws(FormatFault) -> Manifest {
        let sections = try Sections(
            bytes, at: 0, kind: .manifest, salt: .none,
            allowed: [
                .stream, .manifest, .streamTime, .sequences, .segments, .cleanClose, .tombstones, .holds,
                .policies, .jobs, .reach, .checkpoints,
            ])
        guard bytes.count == sections.frameLength else {
            throw FormatFault(.frameLength, at: UInt64(sections.frameLength))
        }
        var manifest = try takeIdentity(sections)
        manifest.segments = try sections.list(
            .segments, bytesEach: SegmentEntry.byteCount, clause: .manifestSegments
        ) { (reader) throws(FormatFault) in try SegmentEntry(from: &reader) }
        manifest.cleanClose = try takeCleanClose(sections)
        manifest.lists = try ManifestLists(sections)
        try manifest.takeReach(sections)
        try manifest.checkSegments(sections)
        return manifest
    }

    private static func takeIdentity(_ sections: Sections) throws(FormatFault) -> Manifest {
        let name = try sections.required(.stream)
        guard let stream = StreamName(name.bytes) else { throw FormatFault(.manifestHeader, at: name.origin) }
        var identity = try sections.required(.manifest)
        let store = StoreID(try identity.u64())
        let generation = try identity.u64()
        let secret = try identity.hash128()
        let created = try identity.u64()
        try identity.finished()
        guard generation < FormatBounds.counters else { throw FormatFault(.manifestHeader, at: identity.origin + 8) }
        var time = try sections.required(.streamTime)
        guard let resolution = Resolution(milliseconds: try time.u64()) else {
            throw FormatFault(.manifestHeader, at: time.origin)
        }
        var manifest = Manifest(
            store: store, deliverySecret: secret, created: created, stream: stream, resolution: resolution)
        manifest.generation = generation
        manifest.horizon = Bucket(milliseconds: try time.u64())
        manifest.eraseCount = try time.u64()
        try time.finished()
        var sequences = try sections.required(.sequences)
        manifest.firstUnreserved = Sequence(try sequences.u64())
        manifest.highestSegment = SegmentNumber(try sequences.u64())
        try sequences.finished()
        guard (1...FormatBounds.counters).contains(manifest.firstUnreserved.value),
            manifest.highestSegment.value < FormatBounds.counters
        else { throw FormatFault(.manifestHeader, at: sequences.origin) }
        return manifest
    }

    private static func takeCleanClose(_ sections: Sections) throws(FormatFault) -> CleanClose? {
        guard let section = sections.optional(.cleanClose) else { return nil }
        return try CleanClose(from: section)
    }

    private mutating func takeReach(_ sections: Sections) throws(FormatFault) {
        guard var reach = sections.optional(.reach) else { return }
        let first = SegmentNumber(try reach.u64())
        purgedThrough = Sequence(try reach.u64())
        try reach.finished()
        guard first.value <= FormatBounds.counters, purgedThrough.value < FormatBounds.counters else {
            throw FormatFault(.manifestHeader, at: reach.origin)
        }
        firstUnlisted = first.value == 0 ? nil : first
    }

    private func checkSegments(_ sections: Sections) throws(FormatFault) {
        let rises = zip(segments, segments.dropFirst()).allSatisfy { $0.segment < $1.segment }
        guard rises else { throw FormatFault(.manifestSegments, at: sections.offset) }
        guard segments.last.map({ $0.segment <= highestSegment }) ?? true else {
            throw FormatFault(.manifestHeader, at: sections.offset)
        }
    }
}
