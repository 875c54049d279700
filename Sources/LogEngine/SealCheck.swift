import SegmentFormat

// A seal against the file that it closes: what cannot be told from the seal frame alone.

extension SegmentSurvey {
    /// The XXH3-128 of what stands before the seal, and of the whole file.
    struct Hashes {
        let beforeSeal: Hash128
        let whole: Hash128
    }

    /// Reads the file once more.
    func hashes(of file: StoreFile, salt: Salt) throws(StoreError) -> Hashes {
        let hash = RunningHash(seed: salt.value)
        let window = FileWindow(file, length: length)
        let split = sealOffset ?? length
        try Self.feed(hash, window, 0..<split)
        let beforeSeal = hash.wide
        try Self.feed(hash, window, split..<length)
        return Hashes(beforeSeal: beforeSeal, whole: hash.wide)
    }

    private static func feed(_ hash: RunningHash, _ window: FileWindow, _ range: Range<UInt64>) throws(StoreError) {
        var offset = range.lowerBound
        while offset < range.upperBound {
            let bytes = try window.bytes(at: offset, count: Int(min(1 << 20, range.upperBound - offset)))
            guard !bytes.isEmpty else { return }
            hash.update(bytes)
            offset += UInt64(bytes.count)
        }
    }

    /// Where the seal, if there is one, disagrees with the blocks or the bytes before it (E1, E2, E3).
    func sealFaults(_ hashes: Hashes) -> [FormatFault] {
        guard let seal, let sealOffset else { return [] }
        var faults: [FormatFault] = []
        let found = Dictionary(blocks.map { ($0.entry.offset, $0.entry) }, uniquingKeysWith: { first, _ in first })
        for entry in seal.index where found[entry.offset] != entry {
            faults.append(FormatFault(.sealBlocks, at: entry.offset))
        }
        if (seal.index.first?.offset ?? sealOffset) != headEnd {
            faults.append(FormatFault(.sealIndex, at: headEnd))
        }
        if self.faults.isEmpty, blocks.flatMap(\.keyed) != seal.keyed {
            faults.append(FormatFault(.sealBlocks, at: sealOffset))
        }
        if seal.fileHash != hashes.beforeSeal { faults.append(FormatFault(.sealHash, at: sealOffset)) }
        return faults
    }
}
