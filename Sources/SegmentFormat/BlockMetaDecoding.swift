extension BlockMeta {
    /// Decodes the frame at the start of `bytes`, which lies at `offset` of its file. Returns it with
    /// the length of the frame.
    public static func decode(
        _ bytes: UnsafeRawBufferPointer, at offset: UInt64, segment: SegmentNumber, salt: Salt
    ) throws(FormatFault) -> (meta: BlockMeta, length: Int) {
        let sections = try Sections(
            bytes, at: offset, kind: .meta, salt: salt,
            allowed: [.block, .runs, .sequenceColumn, .deliveries, .sources])
        var meta = try BlockMeta(fixed: try sections.required(.block), segment: segment)
        meta.runs = try meta.takeRuns(sections)
        meta.arrangement = try meta.takeColumn(sections)
        meta.keyed = try DeliveryList.keyed(sections)
        meta.sourced = try DeliveryList.sourced(sections)
        return (meta, sections.frameLength)
    }

    private init(fixed section: ByteReader, segment expected: SegmentNumber) throws(FormatFault) {
        var reader = section
        let start = reader.origin
        segment = SegmentNumber(try reader.u64())
        commit = CommitNumber(try reader.u64())
        indexInCommit = Int(try reader.u32())
        blocksInCommit = Int(try reader.u32())
        firstSequence = Sequence(try reader.u64())
        lastSequence = Sequence(try reader.u64())
        lines = Int(try reader.u32())
        rawLength = Int(try reader.u32())
        storedLength = Int(try reader.u32())
        let rawCodec = try reader.u8()
        let rawArrangement = try reader.u8()
        try reader.zeros(2)
        dataHash = try reader.u64()
        try reader.finished()

        guard segment == expected else { throw FormatFault(.blockSegment, at: start) }
        guard commit.value >= 1, indexInCommit < blocksInCommit, blocksInCommit <= FormatBounds.commitBlocks else {
            throw FormatFault(.blockCommit, at: start + 8)
        }
        guard let codec = Codec(rawValue: rawCodec), (codec == .none) == (lines == 0), rawArrangement <= 2 else {
            throw FormatFault(.blockCodec, at: start + 52)
        }
        self.codec = codec
        runs = []
        arrangement = rawArrangement == 0 ? .arrival : rawArrangement == 1 ? .perLine([]) : .perBlock
        keyed = []
        sourced = []
        guard boundsHold else { throw FormatFault(.blockBounds, at: start + 24) }
    }

    private var boundsHold: Bool {
        guard firstSequence.value >= 1, lastSequence.value < FormatBounds.counters else { return false }
        guard lines > 0 else {
            return rawLength == 0 && storedLength == 0 && dataHash == 0 && arrangement == .arrival
                && lastSequence.value == firstSequence.value - 1
        }
        return lines <= FormatBounds.blockLines && lines <= rawLength && rawLength <= FormatBounds.blockRawBytes
            && storedLength > 0 && storedLength <= FormatBounds.blockStoredBytes
            && lastSequence.value >= firstSequence.value
            && lastSequence.value - firstSequence.value >= UInt64(lines - 1)
    }

    private func takeRuns(_ sections: Sections) throws(FormatFault) -> [Run] {
        guard var reader = sections.optional(.runs, clause: .runs) else {
            guard lines == 0 else { throw FormatFault(.runs, at: sections.offset) }
            return []
        }
        let start = reader.fault
        let count = try reader.varint()
        guard lines > 0, count >= 1, count <= UInt64(lines) else { throw start }
        var runs: [Run] = []
        runs.reserveCapacity(Int(count))
        var before: UInt64 = 0
        var (lineTotal, byteTotal) = (0, 0)
        for index in 0..<count {
            let here = reader.fault
            let step = try reader.varint()
            let (bucket, overflow) = before.addingReportingOverflow(step)
            let runLines = try reader.varint()
            let runBytes = try reader.varint()
            guard !overflow, index == 0 || step > 0, bucket < .max,
                (1...UInt64(lines)).contains(runLines), (1...UInt64(rawLength)).contains(runBytes)
            else { throw here }
            runs.append(Run(bucket: Bucket(milliseconds: bucket), lines: Int(runLines), bytes: Int(runBytes)))
            before = bucket
            lineTotal += Int(runLines)
            byteTotal += Int(runBytes)
        }
        guard lineTotal == lines, byteTotal == rawLength else { throw start }
        try reader.finished()
        return runs
    }

    private func takeColumn(_ sections: Sections) throws(FormatFault) -> Arrangement {
        let section = sections.optional(.sequenceColumn, clause: .sequenceColumn)
        guard case .perLine = arrangement else {
            if let section { throw section.fault }
            let isConsecutive = lastSequence.value + 1 == firstSequence.value + UInt64(lines)
            guard isConsecutive || arrangement == .perBlock else {
                throw FormatFault(.sequenceColumn, at: sections.offset)
            }
            return arrangement
        }
        guard var reader = section else { throw FormatFault(.sequenceColumn, at: sections.offset) }
        let start = reader.fault
        let span = lastSequence.value - firstSequence.value
        var fault: FormatFault?
        let offsets = [UInt64](unsafeUninitializedCapacity: lines) { offsets, count in
            do throws(FormatFault) {
                try takeOffsets(&reader, span, to: offsets)
                count = lines
            } catch { fault = error }
        }
        if let fault { throw fault }
        try reader.finished()
        guard Self.spansExactly(offsets, span) else { throw start }
        return .perLine(offsets)
    }

    /// One for each line of the runs; `lines` fit.
    private func takeOffsets(
        _ reader: inout ByteReader, _ span: UInt64, to offsets: UnsafeMutableBufferPointer<UInt64>
    ) throws(FormatFault) {
        var index = 0
        for run in runs {
            var offset: UInt64 = 0
            for line in 0..<run.lines {
                let position = reader.position
                let step = try reader.varint()
                let (sum, overflow) = offset.addingReportingOverflow(step)
                guard !overflow, sum <= span, line == 0 || step > 0 else { throw reader.fault(at: position) }
                offset = sum
                offsets[index] = offset
                index += 1
            }
        }
    }

    /// Whether the offsets are distinct, and the smallest is 0 and the largest `span`; none is above it.
    private static func spansExactly(_ offsets: [UInt64], _ span: UInt64) -> Bool {
        // A bit for each sequence, as long as these are no more memory than the offsets.
        guard span < UInt64(offsets.count) * 64 else {
            let sorted = offsets.sorted()
            return sorted.first == 0 && sorted.last == span
                && zip(sorted, sorted.dropFirst()).allSatisfy { $0 < $1 }
        }
        return withUnsafeTemporaryAllocation(of: UInt64.self, capacity: Int(span / 64) + 1) { seen in
            seen.initialize(repeating: 0)
            for offset in offsets {
                let (word, bit) = (Int(offset / 64), UInt64(1) << (offset % 64))
                guard seen[word] & bit == 0 else { return false }
                seen[word] |= bit
            }
            return seen[0] & 1 != 0 && seen[Int(span / 64)] & 1 << (span % 64) != 0
        }
    }
}
