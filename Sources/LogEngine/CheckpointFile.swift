import SegmentFormat

// The file of a checkpoint: a segment with its lines in order, all in one bucket. They have the sequences behind
// the last one that the view has, so that a seal alone says how far it goes.

/// Writes a checkpoint; it lives when a manifest lists it.
struct CheckpointWriter {
    private static let blockBytes = 1 << 20
    private static let level = 3

    private let taken: TakenView
    private let layout: Layout
    private let disk: any Disk
    private let head: SegmentHead

    init(_ taken: TakenView, _ layout: Layout, _ environment: Environment) {
        self.taken = taken
        self.layout = layout
        disk = environment.disk
        let manifest = taken.manifest
        head = SegmentHead(
            store: manifest.store,
            segment: manifest.lists.checkpoints.last?.generation.next ?? SegmentNumber(1),
            salt: Salt(environment.random()), stream: manifest.stream, resolution: manifest.resolution,
            created: manifest.resolution.bucket(of: taken.now).milliseconds, horizon: manifest.horizon)
    }

    /// Durable when it returns. After a failure nothing of it is left that anybody takes for a checkpoint.
    func write() throws(StoreError) -> Checkpoint {
        let place = layout.place(ofCheckpoint: head.segment)
        do throws(StoreError) {
            let bucket = Bucket(milliseconds: head.created)
            let file = try ColdSegmentWriter(head, day: bucket.segmentDay, at: place, disk)
            try writeLines(to: file, bucket)
            let entry = try file.seal(sources: [], sealed: head.created)
            try file.publish()
            return Checkpoint(
                generation: head.segment, through: taken.through, salt: head.salt, length: entry.length,
                fileHash: entry.fileHash, eraseCount: taken.manifest.eraseCount)
        } catch {
            // What cannot be removed now is by the next open.
            _ = Result { () throws(StoreError) in try disk.removeFile(place.temporary) }
            throw error
        }
    }

    private func writeLines(to file: ColdSegmentWriter, _ bucket: Bucket) throws(StoreError) {
        let encoder = ZstdEncoder(level: Self.level)
        var (block, next) = (ColdLines(), taken.through + 1)
        func finish() throws(StoreError) {
            guard !block.isEmpty else { return }
            let made = block.encoded(encoder)
            var meta = BlockMeta(
                segment: head.segment, commit: .none, indexInCommit: 0, blocksInCommit: 1,
                nextSequence: made.firstSequence, keyed: [], sourced: [])
            meta.hold(made.content)
            try file.append(meta, made.content.data)
            block.clear()
        }
        try taken.lines(taken.through) { (line) throws(StoreError) in
            guard line.count < FormatBounds.blockRawBytes else {
                throw .tooLarge("a line of the checkpoint has \(line.count) bytes")
            }
            if block.bytes.count + line.count >= Self.blockBytes { try finish() }
            (line + [0x0A]).withUnsafeBytes { block.append($0, bucket: bucket, sequences: [next]) }
            next = next + 1
        }
        try finish()
    }
}

extension Checkpoint {
    /// Fails with `corrupt` where the file is not there, or not byte for byte as it was written.
    func requireSound(_ layout: Layout, _ disk: any Disk) throws(StoreError) { _ = try sound(layout, disk) }

    fileprivate func sound(_ layout: Layout, _ disk: any Disk) throws(StoreError) -> StoreFile {
        let path = layout.checkpoint(generation)
        guard let file = try StoreFile.openIfThere(disk, path) else {
            throw .corrupt(path, "the checkpoint is missing", FormatFault(.fileMissing, at: 0))
        }
        let found = try file.length()
        guard found == length else {
            throw .corrupt(
                path, "the checkpoint has \(found) bytes, not \(length)",
                FormatFault(.fileLength, at: min(found, length)))
        }
        guard try SegmentRecovery.hash(file, length: length, salt: salt).wide == fileHash else {
            throw .corrupt(path, "the checkpoint is not as it was written", FormatFault(.fileHash, at: 0))
        }
        return file
    }
}

extension Checkpoint {
    /// The checkpoint in a file that no manifest tells of; `nil` where it is not whole, or of another store.
    static func found(
        _ generation: SegmentNumber, of store: SegmentHead, _ layout: Layout, _ disk: any Disk
    ) throws(StoreError) -> Checkpoint? {
        let file = try StoreFile(disk, layout.checkpoint(generation), .read)
        let length = try file.length()
        let survey = try SegmentSurvey.read(
            file, length: length,
            expecting: .init(segment: generation, kind: .cold(day: nil), store: store.store, stream: store.stream))
        guard let head = survey.head, let seal = survey.seal, survey.faults.isEmpty else { return nil }
        let hashes = try survey.hashes(of: file, salt: head.salt)
        guard survey.sealFaults(hashes).isEmpty else { return nil }
        return Checkpoint(
            generation: generation, through: Sequence(seal.totals.firstSequence.value - 1), salt: head.salt,
            length: length, fileHash: hashes.whole, eraseCount: 0)
    }
}

extension LogSnapshot {
    /// Calls `body` with each line of a checkpoint, without its LF. The whole file is checked before.
    public func read(
        _ checkpoint: Checkpoint, _ body: (UnsafeRawBufferPointer) throws(StoreError) -> Void
    ) throws(StoreError) {
        let file = try checkpoint.sound(access.layout, access.disk)
        var failure: StoreError?
        let survey = try SegmentSurvey.read(
            file, length: checkpoint.length,
            expecting: .init(
                segment: checkpoint.generation, kind: .cold(day: nil), store: store, stream: stream)
        ) { meta, data, offset in
            guard failure == nil, meta.lines > 0 else { return nil }
            do throws(FormatFault) {
                try BlockData.verify(data, of: meta, at: offset)
                let raw = UnsafeMutableRawBufferPointer.allocate(byteCount: meta.rawLength, alignment: 16)
                defer { raw.deallocate() }
                try BlockData.decode(data, of: meta, at: offset, range: 0..<meta.rawLength, into: raw)
                do throws(StoreError) {
                    try UnsafeRawBufferPointer(raw).forEachLine { (line) throws(StoreError) in try body(line) }
                } catch { failure = error }
                return nil
            } catch { return error }
        }
        if let failure { throw failure }
        guard let fault = survey.faults.first else { return }
        throw .corrupt(file.path, "the checkpoint cannot be read", fault)
    }

    /// This snapshot without the events that are in a checkpoint. Fails with `corrupt` where a segment has some that
    /// are and some that are not.
    public func behind(_ checkpoint: Checkpoint) throws(StoreError) -> LogSnapshot {
        var later = self
        let entries = sealed.entries.filter { $0.reaches(beyond: checkpoint.through) }
        if let mixed = entries.first(where: { $0.firstSequence <= checkpoint.through }) {
            throw .corrupt(access.layout.path(of: mixed), "the segment has events of before and behind a checkpoint")
        }
        later.sealed = SealedSegments(entries)
        return later
    }

    /// No event ever left it, but by erasure.
    public var isWhole: Bool { horizon == .earliest && purgedThrough == Sequence(0) }

    /// Those of its faults that lie in its own segments.
    public var ownFaults: [FileFault] {
        let paths = Set(segments.map(\.path))
        return faults.filter { paths.contains($0.path) }
    }
}
