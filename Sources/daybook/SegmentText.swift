import LogEngine
import SegmentFormat

/// A segment for a person.
struct SegmentText {
    private let dump: SegmentDump

    init(_ dump: SegmentDump) { self.dump = dump }

    var text: String {
        var text = dump.head.map(Self.head) ?? "no head\n"
        text += "\(dump.length.grouped) bytes, \(dump.blocks.count.grouped) blocks\n"
        if !dump.blocks.isEmpty { text += "\n" + blocks }
        if let seal = dump.seal { text += "\n" + Self.seal(seal, at: dump.sealOffset ?? 0) }
        return text
    }

    private static func head(_ head: SegmentHead) -> String {
        let replaced = head.replaced.map { String($0.value) }.joined(separator: ", ")
        return """
            segment \(head.segment.value) of stream \(head.stream), store \(head.store.value.hex), \
            salt \(head.salt.value.hex)
            resolution \(durationText(head.resolution.milliseconds)), created \(timeText(head.created)), \
            horizon \(timeText(head.horizon.milliseconds))\(replaced.isEmpty ? "" : ", replaces \(replaced)")

            """
    }

    private var blocks: String {
        var table = Table([
            "offset", "commit", "block", "sequences", "lines", "raw", "stored", "order", "deliveries", "runs",
        ])
        for (offset, meta) in dump.blocks {
            table.add([
                String(offset), String(meta.commit.value), "\(meta.indexInCommit + 1)/\(meta.blocksInCommit)",
                meta.lines == 0 ? "–" : "\(meta.firstSequence.value)–\(meta.lastSequence.value)", meta.lines.grouped,
                meta.rawLength.grouped, meta.storedLength.grouped, Self.order(meta),
                String(meta.keyed.count + meta.sourced.count), Self.runs(meta.runs),
            ])
        }
        return table.text
    }

    private static func order(_ meta: BlockMeta) -> String {
        switch meta.arrangement {
        case .arrival: "arrival"
        case .perLine: "per line"
        case .perBlock: "per block"
        }
    }

    private static func runs(_ runs: [Run]) -> String {
        guard let first = runs.first, let last = runs.last else { return "–" }
        if runs.count == 1 { return timeText(first.bucket.milliseconds) }
        return "\(runs.count): \(timeText(first.bucket.milliseconds)) to \(timeText(last.bucket.milliseconds))"
    }

    private static func seal(_ seal: Seal, at offset: UInt64) -> String {
        let totals = seal.totals
        return """
            sealed at \(offset): \(totals.lines.grouped) events in \(totals.blocks.grouped) blocks, \
            \(totals.rawBytes.grouped) raw bytes, next sequence \(totals.nextSequence.value)
            \(seal.keyed.count.grouped) keys, \(seal.sourced.count.grouped) sources remembered, \
            XXH3-128 \(seal.fileHash.hex)

            """
    }
}
