import SegmentFormat

// Walks a segment file from its head, frame by frame, and finds its footing again after bad bytes.
// It only looks: what follows from what it found is decided in `CommitAnalysis`.

/// A block whose meta frame is right.
struct SurveyedBlock: Sendable {
    let entry: BlockIndexEntry
    let indexInCommit: Int
    let blocksInCommit: Int
    let keyed: [KeyedDelivery]
    let sourced: [SourceDelivery]
    /// The data frame is there, and is the one that the meta frame speaks of.
    let hasGoodData: Bool
}

/// How the blocks of a segment lie (SPEC C2).
enum SegmentKind: Hashable, Sendable {
    /// In order of arrival.
    case hot
    /// In order of time, all of one day; `nil` where nobody says which.
    case cold(day: UInt32?)

    var isCold: Bool { self != .hot }
    var day: UInt32? { if case .cold(let day) = self { day } else { nil } }
}

struct SegmentSurvey: Sendable {
    let kind: SegmentKind
    var head: SegmentHead?
    var headEnd: UInt64 = 0
    var blocks: [SurveyedBlock] = []
    /// One for each stretch of bad bytes, in file order.
    var faults: [FormatFault] = []
    var seal: Seal?
    var sealOffset: UInt64?
    /// Bytes that were looked at.
    var length: UInt64 = 0
}

extension SegmentSurvey {
    /// What to expect of a file.
    struct Expectation {
        var segment: SegmentNumber
        var kind = SegmentKind.hot
        var store: StoreID?
        var stream: StreamName?
        /// Used where the head is damaged.
        var salt: Salt?
    }

    /// Surveys the first `length` bytes of `file`. With `visit`, each block whose meta is right is shown
    /// with its data frame.
    static func read(
        _ file: StoreFile, length: UInt64, expecting: Expectation,
        visit: (BlockMeta, UnsafeRawBufferPointer, UInt64) -> FormatFault? = { _, _, _ in nil }
    ) throws(StoreError) -> SegmentSurvey {
        var walker = SegmentWalker(FileWindow(file, length: length), expecting)
        return try walker.walk(visit)
    }
}

private struct SegmentWalker {
    private let window: FileWindow
    private let expecting: SegmentSurvey.Expectation
    private var survey: SegmentSurvey
    private var salt: Salt?
    private var position: UInt64 = 0

    init(_ window: FileWindow, _ expecting: SegmentSurvey.Expectation) {
        self.window = window
        self.expecting = expecting
        survey = SegmentSurvey(kind: expecting.kind, length: window.length)
        salt = expecting.salt
    }

    mutating func walk(
        _ visit: (BlockMeta, UnsafeRawBufferPointer, UInt64) -> FormatFault?
    ) throws(StoreError) -> SegmentSurvey {
        try takeHead()
        guard let salt else { return survey }
        while position < window.length, survey.seal == nil {
            do throws(SurveyFault) {
                if try isSeal() { try takeSeal(salt) } else { try takeBlock(salt, visit) }
            } catch {
                switch error {
                case .store(let error): throw error
                case .format(let fault):
                    survey.faults.append(fault)
                    position = try nextFrame(behind: position, salt)
                }
            }
        }
        return survey
    }

    private enum SurveyFault: Error {
        case format(FormatFault)
        case store(StoreError)
    }

    private mutating func takeHead() throws(StoreError) {
        let bytes = try window.bytes(at: 0, count: FrameKind.head.bound + 8)
        do throws(FormatFault) {
            let (head, length) = try SegmentHead.decode(bytes)
            try head.check(expecting)
            survey.head = head
            survey.headEnd = UInt64(length)
            salt = head.salt
            position = survey.headEnd
        } catch {
            survey.faults.append(error)
            guard let salt else { return }
            position = try nextFrame(behind: 0, salt)
            survey.headEnd = position
        }
    }

    private func frame(_ kind: FrameKind, at offset: UInt64) throws(SurveyFault) -> UnsafeRawBufferPointer {
        let header = try windowBytes(at: offset, count: FrameHeader.byteCount)
        let length: Int
        do throws(FormatFault) {
            length = try FrameHeader.frameLength(header, at: offset, kind: kind)
        } catch {
            throw .format(error)
        }
        let bytes = try windowBytes(at: offset, count: length)
        guard bytes.count == length else { throw .format(FormatFault(.frameTruncated, at: offset)) }
        return bytes
    }

    private func windowBytes(at offset: UInt64, count: Int) throws(SurveyFault) -> UnsafeRawBufferPointer {
        do throws(StoreError) { return try window.bytes(at: offset, count: count) } catch { throw .store(error) }
    }

    private func isSeal() throws(SurveyFault) -> Bool {
        FrameHeader.kind(try windowBytes(at: position, count: FrameHeader.byteCount)) == .seal
    }

    private mutating func takeSeal(_ salt: Salt) throws(SurveyFault) {
        let bytes = try frame(.seal, at: position)
        do throws(FormatFault) {
            let seal = try Seal.decode(bytes, at: position, segment: expecting.segment, salt: salt)
            guard position + UInt64(bytes.count) == window.length else {
                throw FormatFault(.sealEnd, at: position + UInt64(bytes.count))
            }
            survey.seal = seal
            survey.sealOffset = position
        } catch {
            throw .format(error)
        }
    }

    private mutating func takeBlock(
        _ salt: Salt, _ visit: (BlockMeta, UnsafeRawBufferPointer, UInt64) -> FormatFault?
    ) throws(SurveyFault) {
        let start = position
        let metaFrame = try frame(.meta, at: start)
        let (meta, length): (BlockMeta, Int)
        do throws(FormatFault) {
            (meta, length) = try BlockMeta.decode(metaFrame, at: start, segment: expecting.segment, salt: salt)
        } catch {
            throw .format(error)
        }
        let dataOffset = start + UInt64(length)
        let data = try windowBytes(at: dataOffset, count: meta.storedLength)
        var fault = dataFault(data, meta, dataOffset)
        if fault == nil { fault = visit(meta, data, dataOffset) }
        if let fault { survey.faults.append(fault) }
        survey.blocks.append(
            SurveyedBlock(
                entry: BlockIndexEntry(meta, offset: start, metaLength: length),
                indexInCommit: meta.indexInCommit, blocksInCommit: meta.blocksInCommit,
                keyed: meta.keyed, sourced: meta.sourced, hasGoodData: fault == nil))
        position = min(dataOffset + UInt64(meta.storedLength), window.length)
    }

    private func dataFault(_ data: UnsafeRawBufferPointer, _ meta: BlockMeta, _ offset: UInt64) -> FormatFault? {
        do throws(FormatFault) {
            try BlockData.check(data, of: meta, at: offset)
            return nil
        } catch {
            return error
        }
    }

    /// The next place behind `offset` where a meta or seal frame stands whose checksum is right, or the
    /// end of the file.
    private func nextFrame(behind offset: UInt64, _ salt: Salt) throws(StoreError) -> UInt64 {
        var candidate = offset + 1
        while let found = try window.firstMagic(from: candidate) {
            let header = try window.bytes(at: found, count: FrameHeader.byteCount)
            if let kind = FrameHeader.kind(header), try holds(kind, at: found, salt) { return found }
            candidate = found + 1
        }
        return window.length
    }

    private func holds(_ kind: FrameKind, at offset: UInt64, _ salt: Salt) throws(StoreError) -> Bool {
        do throws(SurveyFault) {
            switch kind {
            case .meta:
                let bytes = try frame(.meta, at: offset)
                return (try? BlockMeta.decode(bytes, at: offset, segment: expecting.segment, salt: salt)) != nil
            case .seal:
                let bytes = try frame(.seal, at: offset)
                return (try? Seal.decode(bytes, at: offset, segment: expecting.segment, salt: salt)) != nil
            default: return false
            }
        } catch {
            guard case .store(let error) = error else { return false }
            throw error
        }
    }
}

extension SegmentSurvey.Expectation {
    /// Of a listed segment.
    init(_ entry: SegmentEntry, store: StoreID, stream: StreamName) {
        let kind = entry.day.map { SegmentKind.cold(day: $0) } ?? .hot
        self.init(segment: entry.segment, kind: kind, store: store, stream: stream, salt: entry.salt)
    }
}

extension SegmentHead {
    func check(_ expecting: SegmentSurvey.Expectation) throws(FormatFault) {
        guard expecting.stream == nil || stream == expecting.stream else { throw FormatFault(.headStream, at: 0) }
        guard expecting.store == nil || store == expecting.store else { throw FormatFault(.headStore, at: 0) }
        guard segment == expecting.segment else { throw FormatFault(.headSegment, at: 0) }
    }
}
