import SegmentFormat

/// What comes next in an order.
enum ScanPiece {
    /// Those lines of a block whose bucket is in a range; all of them come before those of the blocks that follow.
    case block(BlockReference, buckets: ClosedRange<Bucket>)
    /// Lines of several blocks; `moveGathered` hands them over.
    case gathered
}

/// Brings the lines of a snapshot in one of the orders.
protocol LineSource: AnyObject {
    var order: ScanRequest.Order { get }
    var reader: BlockReader { get }

    /// `lines` is how many are wanted. Returns `nil` at the end.
    func next(lines: Int) throws(StoreError) -> ScanPiece?

    /// Appends the next gathered lines: there may be more than are wanted. Where it can only append to an
    /// output that was cleared, and this one was not, it does nothing.
    func moveGathered(to output: ScanOutput, lines: Int) throws(StoreError)

    /// The output holds nothing any more of what was moved there.
    func didClear()

    /// The last line of the block that `next` gave was delivered, and is at this place.
    func didStream(through position: ScanPosition)
}

extension LineSource {
    /// Appends the next lines to an output that was cleared. `lines` is how many are wanted: there may
    /// be more. Returns false at the end.
    func fill(_ output: ScanOutput, lines: Int) throws(StoreError) -> Bool {
        didClear()
        while output.byteCount < Bounds.scanChunk, output.lineCount < lines,
            let piece = try next(lines: lines - output.lineCount)
        {
            let before = output.byteCount
            try move(piece, to: output, lines: lines - output.lineCount)
            if before > 0, output.byteCount == before { break }
        }
        return output.byteCount > 0
    }

    /// Appends the lines of what `next` gave.
    func move(_ piece: ScanPiece, to output: ScanOutput, lines: Int) throws(StoreError) {
        switch piece {
        case .block(let block, let buckets):
            try reader.append(block, buckets: buckets, order: order, to: output)
            if let last = output.last { didStream(through: last) }
        case .gathered: try moveGathered(to: output, lines: lines)
        }
    }
}

extension ScanOutput {
    /// The place of the last line in order of time.
    fileprivate var last: ScanPosition? {
        guard let run = runs.last, let span = spans.last else { return nil }
        return ScanPosition(bucket: run.bucket, sequence: span.sequence(span.count - 1))
    }
}
