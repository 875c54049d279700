@testable import SegmentFormat

/// A file that breaks one clause, named for it, and where it does so. The checksums of the frames
/// around the broken place are right.
struct ClauseFixture: Sendable, CustomStringConvertible {
    enum Kind: String, Sendable {
        case segment = "ndjson.lz4"
        case manifest
        case active
    }

    let clause: Clause
    let kind: Kind
    /// `nil` for what only a store can see: the file is well formed in itself.
    let offset: Int?
    let bytes: [UInt8]

    var path: String {
        let folder = kind == .segment ? "segments" : "manifests"
        return FixtureFiles.path("\(folder)/\(clause.rawValue).\(kind.rawValue)")
    }
    var description: String { "\(clause.rawValue) \(clause)" }

    /// What decoding some bytes as this kind of file runs into.
    func fault(of bytes: [UInt8]) -> FormatFault? {
        switch kind {
        case .segment: firstFault(inSegment: bytes)
        case .manifest: bytes.decoded(Manifest.decode).fault
        case .active: bytes.decoded(ActiveMark.decode).fault
        }
    }

    static let all: [ClauseFixture] =
        frames + sections + heads + blocks + data + commits + seals + manifests + active + files
    static var formatLevel: [ClauseFixture] { all.filter { $0.offset != nil } }
}

// MARK: - Segments

private let headLength = WorkedExample.head.encoded().count
/// Of the first meta frame: where its sections' bytes begin.
private let firstBlock = SegmentBuilder(WorkedExample.head).unsealed().count + FrameHeader.byteCount + 8

extension ClauseFixture {
    /// The worked example with some bytes changed as they lie.
    private static func cut(
        _ clause: Clause, at offset: Int, _ change: (inout [UInt8]) -> Void
    ) -> ClauseFixture {
        var bytes = WorkedExample.segment.unsealed()
        change(&bytes)
        return ClauseFixture(clause: clause, kind: .segment, offset: offset, bytes: bytes)
    }

    /// The worked example, sealed, with one frame changed before its checksum was made.
    private static func forged(
        _ clause: Clause, _ frame: SegmentBuilder.Frame, at offset: Int?, _ change: @escaping (inout FrameForge) -> Void
    ) -> ClauseFixture {
        var segment = WorkedExample.segment
        segment.bend = { if $0 == frame { change(&$1) } }
        return ClauseFixture(clause: clause, kind: .segment, offset: offset, bytes: segment.sealed())
    }

    private static var frames: [ClauseFixture] {
        [
            cut(.frameMagic, at: headLength) { $0[headLength] ^= 1 },
            cut(.frameTruncated, at: headLength) { $0.removeLast($0.count - headLength - 100) },
            cut(.frameLength, at: headLength + 4) { $0.set(UInt32(15), at: headLength + 4) },
            cut(.frameKind, at: headLength + 8) { $0.set(FrameKind.manifest.rawValue, at: headLength + 8) },
            cut(.frameVersion, at: headLength + 12) { $0.set(UInt16(2), at: headLength + 12) },
            cut(.frameChecksum, at: headLength + 16) { $0[firstBlock + 8] ^= 1 },
        ]
    }

    private static var sections: [ClauseFixture] {
        [
            forged(.sectionTruncated, .head, at: headLength - 24) { $0.sections[2].statedLength = 25 },
            forged(.sectionOrder, .head, at: FrameHeader.byteCount + 20) { $0.sections.swapAt(0, 1) },
            forged(.sectionUnknown, .head, at: headLength) { $0.sections.append(.init(tag: 0x0015, bytes: [])) },
            forged(.sectionMissing, .head, at: 0) { $0.remove(.time) },
            forged(.sectionLength, .head, at: headLength) { $0[.time].append(0) },
        ]
    }

    private static var heads: [ClauseFixture] {
        let name = FrameHeader.byteCount + 8 + 24 + 8
        var otherStore = SegmentBuilder(WorkedExample.head)
        otherStore.head.store = StoreID(0xFEDC_BA98_7654_3210)
        var otherNumber = SegmentBuilder(WorkedExample.head)
        otherNumber.head.segment = SegmentNumber(7)
        return [
            forged(.headStream, .head, at: name) { $0[.stream][0] = UInt8(ascii: "I") },
            ClauseFixture(clause: .headStore, kind: .segment, offset: nil, bytes: otherStore.sealed()),
            ClauseFixture(clause: .headSegment, kind: .segment, offset: nil, bytes: otherNumber.sealed()),
            forged(.headResolution, .head, at: name + 12 + 8) { $0[.time].set(UInt64(7), at: 0) },
        ]
    }

    private static var blocks: [ClauseFixture] {
        let runs = firstBlock + 64 + 8
        let runsLength = FrameForge(WorkedExample.segment.blocks[0].meta.encoded(salt: .none))[.runs].count
        let column = runs + runsLength + 8
        return [
            forged(.blockSegment, .meta(0), at: firstBlock) { $0[.block].set(UInt64(2), at: 0) },
            forged(.blockCommit, .meta(0), at: firstBlock + 8) { $0[.block].set(UInt32(2), at: 16) },
            forged(.blockBounds, .meta(0), at: firstBlock + 24) { $0[.block].set(UInt32(1 << 23), at: 44) },
            forged(.blockCodec, .meta(0), at: firstBlock + 52) { $0[.block][52] = 3 },
            forged(.runs, .meta(0), at: runs) { $0[.runs][$0[.runs].count - 1] -= 1 },
            forged(.sequenceColumn, .meta(0), at: column) { $0[.sequenceColumn] = [0, 0, 2] },
            forged(.deliveries, .meta(0), at: column + 3 + 8) { $0[.deliveries].removeLast() },
        ]
    }

    /// The worked example with the data of its first block made by hand, and the hash to match.
    private static func withData(_ clause: Clause, at offset: Int, _ change: (inout [UInt8]) -> Void) -> ClauseFixture {
        var segment = WorkedExample.segment
        var data = segment.blocks[0].data
        change(&data)
        segment.replaceData(ofBlock: 0, with: data)
        return ClauseFixture(clause: clause, kind: .segment, offset: dataStart + offset, bytes: segment.unsealed())
    }

    private static var dataStart: Int {
        headLength + WorkedExample.segment.blocks[0].meta.encoded(salt: .none).count
    }

    private static var data: [ClauseFixture] {
        let end = WorkedExample.segment.unsealed().count
        let last = WorkedExample.segment.blocks[1].data.count
        return [
            cut(.dataTruncated, at: end - last) { $0.removeLast() },
            cut(.dataChecksum, at: dataStart) { $0[dataStart + 20] ^= 1 },
            withData(.dataFrame, at: 0) { data in
                data[4] = 0x4C
                data[14] = UInt8(truncatingIfNeeded: Array(data[4..<14]).withUnsafeBytes { xxh32($0) } >> 8)
            },
            withData(.dataDecode, at: 6) { data in
                data[6] += 1
                data[14] = UInt8(truncatingIfNeeded: Array(data[4..<14]).withUnsafeBytes { xxh32($0) } >> 8)
            },
            withData(.dataLines, at: 0) { data in
                let lines = WorkedExample.lines
                let text = [lines[1].0, lines[0].0, lines[2].0].joined(separator: " ") + "\n"
                data = Array(text.utf8).withUnsafeBytes { LZ4Frame.encode($0) }
            },
        ]
    }

    private static var commits: [ClauseFixture] {
        var swapped = WorkedExample.segment
        swapped.blocks[0].meta.indexInCommit = 1
        swapped.blocks[1].meta.indexInCommit = 0
        var again = WorkedExample.segment
        again.blocks[1].meta.firstSequence = Sequence(3)
        again.blocks[1].meta.lastSequence = Sequence(3)
        return [
            ClauseFixture(clause: .commitOrder, kind: .segment, offset: nil, bytes: swapped.sealed()),
            ClauseFixture(clause: .commitSequence, kind: .segment, offset: nil, bytes: again.sealed()),
        ]
    }

    private static var seals: [ClauseFixture] {
        let start = WorkedExample.segment.unsealed().count
        let end = WorkedExample.bytes.count - Seal.tailByteCount
        return [
            forged(.sealIndex, .seal, at: start) { $0[.blockIndex].set(UInt64(headLength + 1), at: 64) },
            forged(.sealBlocks, .seal, at: nil) { $0[.blockIndex].set(UInt64(4), at: 32) },
            forged(.sealHash, .seal, at: nil) { $0[.fileHash][0] ^= 1 },
            forged(.sealEnd, .seal, at: end) { $0[.end].set(UInt32(1), at: 0) },
        ]
    }
}

// MARK: - Manifests and the active mark

extension ClauseFixture {
    /// Lists the worked example as segment 1 of a store that was closed before it got another.
    static var manifest: Manifest {
        var manifest = Manifest(
            store: WorkedExample.head.store, deliverySecret: Hash128(low: 5, high: 6),
            created: WorkedExample.midnight.milliseconds, stream: .interactions, resolution: .tenMinutes)
        let bytes = WorkedExample.bytes
        var totals = SegmentTotals(startingAt: .first)
        totals.blocks = 2
        totals.lines = 4
        totals.rawBytes = UInt64(WorkedExample.lines.reduce(0) { $0 + $1.0.utf8.count + 1 })
        totals.nextSequence = Sequence(5)
        (totals.firstBucket, totals.lastBucket) = (WorkedExample.midnight, WorkedExample.tenPast)
        manifest.segments = [
            SegmentEntry(
                segment: SegmentNumber(1), salt: WorkedExample.head.salt, length: UInt64(bytes.count),
                fileHash: bytes.withUnsafeBytes { xxh3Wide($0, seed: WorkedExample.head.salt.value) }, totals: totals,
                sealed: WorkedExample.tenPast.milliseconds, deliveries: 1, isDamaged: false)
        ]
        manifest.highestSegment = SegmentNumber(2)
        manifest.firstUnreserved = Sequence(1 << 20)
        return manifest
    }

    private static func manifest(_ clause: Clause, _ change: (inout Manifest) -> Void) -> ClauseFixture {
        var changed = manifest
        change(&changed)
        return ClauseFixture(clause: clause, kind: .manifest, offset: nil, bytes: changed.encoded())
    }

    private static func manifest(
        _ clause: Clause, at tag: Tag, _ offset: Int, _ change: (inout FrameForge) -> Void
    ) -> ClauseFixture {
        var forge = FrameForge(manifest.encoded())
        change(&forge)
        return ClauseFixture(
            clause: clause, kind: .manifest, offset: forge.offset(of: tag) + offset, bytes: forge.frame())
    }

    private static var manifests: [ClauseFixture] {
        [
            manifest(.manifestSegments, at: .segments, 0) { $0[.segments].set(UInt32(4), at: 108) },
            manifest(.manifestHeader, at: .sequences, 0) { $0[.sequences].set(UInt64(0), at: 0) },
            manifest(.manifestLists, at: .jobs, 0) { $0[.jobs] = [5] + [UInt8](repeating: 0, count: 23) },
        ]
    }

    private static var active: [ClauseFixture] {
        let mark = ActiveMark(
            segment: SegmentNumber(2), salt: Salt(3), length: UInt64(headLength), lastCommit: .none,
            nextSequence: Sequence(0))
        return [
            ClauseFixture(
                clause: .activeMark, kind: .active, offset: FrameHeader.byteCount + 8 + 32, bytes: mark.encoded())
        ]
    }

    /// Right in themselves; wrong beside the worked example as segment 1.
    private static var files: [ClauseFixture] {
        [
            manifest(.fileMissing) { $0.segments[0].segment = SegmentNumber(2) },
            manifest(.fileLength) { $0.segments[0].length += 1 },
            manifest(.fileHash) { $0.segments[0].fileHash.low ^= 1 },
        ]
    }
}
