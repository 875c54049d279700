import SegmentFormat

/// Everything that one segment file says of itself. Decodes as much of a broken file as it can.
public struct SegmentDump: Sendable {
    public let head: SegmentHead?
    /// Blocks whose meta is right, in file order.
    public let blocks: [(offset: UInt64, meta: BlockMeta)]
    public let seal: Seal?
    public let sealOffset: UInt64?
    /// Bytes that were read: of the active segment, those that are durable.
    public let length: UInt64
    public let faults: [FormatFault]

    /// Reads a segment, whatever its file is called; if it has the name of a segment, it must be that
    /// one. Of one that is being written it reads what `ACTIVE`, beside it, says
    /// is durable. `visit` is shown the lines of each good block.
    public static func read(
        _ path: String, environment: Environment,
        visit: (BlockMeta, UnsafeRawBufferPointer) -> Void = { _, _ in }
    ) throws(StoreError) -> SegmentDump {
        let file = try StoreFile(environment.disk, path, .read)
        let named = Layout.segment(at: path)
        let (segment, kind) = if let named { named } else { try identityInHead(file) }
        let length = try durableLength(path, segment, file, environment.disk)
        var blocks: [(offset: UInt64, meta: BlockMeta)] = []
        let survey = try SegmentSurvey.read(file, length: length, expecting: .init(segment: segment, kind: kind)) {
            meta, data, offset in
            blocks.append((offset, meta))
            do throws(FormatFault) {
                try BlockData.verify(data, of: meta, at: offset)
                try show(meta, data, offset, visit)
                return nil
            } catch {
                return error
            }
        }
        let located = zip(survey.blocks, blocks).map { (offset: $0.entry.offset, meta: $1.meta) }
        let analysis = CommitAnalysis(survey)
        let torn = analysis.tornBytes > 0 && survey.head != nil ? [FormatFault(.commitOrder, at: analysis.end)] : []
        let seal =
            if let head = survey.head { try survey.sealFaults(survey.hashes(of: file, salt: head.salt)) } else {
                [FormatFault]()
            }
        let faults = survey.faults + (analysis.corruption + torn + seal).filter { !survey.faults.contains($0) }
        return SegmentDump(
            head: survey.head, blocks: located, seal: survey.seal, sealOffset: survey.sealOffset, length: length,
            faults: faults)
    }

    /// 0, which no segment has, where the head is damaged. Only a cold segment replaces others.
    private static func identityInHead(
        _ file: StoreFile
    ) throws(StoreError) -> (number: SegmentNumber, kind: SegmentKind) {
        let bytes = try file.read(FrameKind.head.bound + 8, at: 0)
        guard let head = try? bytes.decoded(SegmentHead.decode).head else { return (SegmentNumber(0), .hot) }
        return (head.segment, head.replaced.isEmpty ? .hot : .cold(day: nil))
    }

    private static func show(
        _ meta: BlockMeta, _ data: UnsafeRawBufferPointer, _ offset: UInt64,
        _ visit: (BlockMeta, UnsafeRawBufferPointer) -> Void
    ) throws(FormatFault) {
        guard meta.lines > 0 else { return }
        let raw = UnsafeMutableRawBufferPointer.allocate(byteCount: meta.rawLength, alignment: 16)
        defer { raw.deallocate() }
        try BlockData.decode(data, of: meta, at: offset, range: 0..<meta.rawLength, into: raw)
        visit(meta, UnsafeRawBufferPointer(raw))
    }

    private static func durableLength(
        _ path: String, _ segment: SegmentNumber, _ file: StoreFile, _ disk: any Disk
    ) throws(StoreError) -> UInt64 {
        let length = try file.length()
        let markPath =
            path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
            + "/ACTIVE"
        guard path.contains("/"), try disk.fileLength(markPath) != nil else { return length }
        let bytes = try StoreFile(disk, markPath, .read).read(ActiveMark.byteCount, at: 0)
        guard let mark = try? bytes.decoded(ActiveMark.decode), mark.segment == segment else { return length }
        return min(length, mark.length)
    }
}
