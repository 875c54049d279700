import Interactions
import StrictJSON

/// Takes in an answer of CouchDB: `_all_docs?include_docs=true`, a view, or the rows alone. Holds no more of
/// it than a batch and a row.
struct DumpReader: BatchReader {
    let input: InputFile
    private var pending: [UInt8] = []
    /// Where in the input `pending` begins.
    private var offset = 0
    private var isAtEnd = false
    private var framing = DumpFraming()
    private var rows = 0
    private var batches = 0
    /// Met behind rows that are whole: thrown when they are taken.
    private var fault: CommandFailure?

    init(_ input: InputFile) { self.input = input }

    mutating func next() throws -> InputBatch? {
        if let fault { throw fault }
        var batch = DumpBatch(number: batches)
        let (firstRow, start) = (rows, offset + framing.needed)
        do {
            while rows - firstRow < BatchBounds.lines, offset + framing.needed - start < BatchBounds.bytes {
                guard try takeRow(into: &batch) else { break }
            }
        } catch let fault as DumpFault {
            let place = (rows > 0 ? "after row \(rows), " : "") + "byte \(offset + fault.offset)"
            let failure = CommandFailure(
                .data, "\(input.name): \(place): \(fault.reason.message) (\(fault.reason.rawValue))")
            guard rows > firstRow else { throw failure }
            self.fault = failure
        }
        guard rows > firstRow else { return nil }
        batches += 1
        return batch.finished
    }

    /// False at the end of the dump.
    private mutating func takeRow(into batch: inout DumpBatch) throws -> Bool {
        while true {
            let step = try pending.withUnsafeBytes { bytes throws(DumpFault) in
                let step = try framing.next(bytes, isAtEnd: isAtEnd)
                if case .row(let range) = step {
                    batch.add(
                        UnsafeRawBufferPointer(rebasing: bytes[range]), number: rows + 1,
                        offset: offset + range.lowerBound)
                }
                return step
            }
            switch step {
            case .row: rows += 1
            case .overlongRow(let start):
                rows += 1
                batch.refuse(EventFault(.tooLong, at: 0), row: rows, offset: offset + start)
            case .end: return false
            case .more:
                offset += framing.needed
                pending.removeFirst(framing.needed)
                framing.drop(framing.needed)
                isAtEnd = try !input.read(onto: &pending)
                continue
            }
            return true
        }
    }
}

/// A batch in the making.
private struct DumpBatch {
    private var batch: InputBatch
    private var places: [InputBatch.Row] = []

    init(number: Int) { batch = InputBatch(number: number, origin: .rows([])) }

    var finished: InputBatch {
        var batch = batch
        batch.origin = .rows(places)
        return batch
    }

    mutating func add(_ row: UnsafeRawBufferPointer, number: Int, offset: Int) {
        do throws(EventFault) {
            switch try DumpRow(row) {
            case .event(let range):
                add(
                    UnsafeRawBufferPointer(rebasing: row[range]),
                    .init(
                        number: number, offset: offset + range.lowerBound, start: batch.bytes.count))
            case .leftOut(let reason): batch.leftOut[reason, default: 0] += 1
            }
        } catch {
            refuse(error, row: number, offset: offset)
        }
    }

    /// A line break in JSON stands between tokens, where a space does as well.
    private mutating func add(_ event: UnsafeRawBufferPointer, _ place: InputBatch.Row) {
        places.append(place)
        batch.lines += 1
        batch.bytes.append(contentsOf: event)
        if event.contains(where: { $0 == 0x0A || $0 == 0x0D }) {
            for index in place.start..<batch.bytes.count where batch.bytes[index] == 0x0A || batch.bytes[index] == 0x0D
            {
                batch.bytes[index] = 0x20
            }
        }
        batch.bytes.append(0x0A)
    }

    mutating func refuse(_ fault: EventFault, row: Int, offset: Int) {
        batch.refused.append(
            RefusedInput(fault, at: InputPlace(kind: .row, number: row, offset: offset + fault.offset)))
    }
}
