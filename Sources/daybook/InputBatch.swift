import Interactions
import StrictJSON

/// Events of the input that are stored together.
struct InputBatch: Sendable {
    /// 0 for the first.
    var number: Int
    /// One event a line, the last perhaps without its LF.
    var bytes: [UInt8] = []
    /// Lines of `bytes`, blank ones too.
    var lines = 0
    var origin: Origin
    /// Rows that are no events, for a reason that is no fault.
    var leftOut: [DumpRow.Reason: Int] = [:]
    /// Rows that could not be read.
    var refused: [RefusedInput] = []

    /// Where its lines come from.
    enum Origin: Sendable {
        /// Lines of the input: the number of the first, and where it starts.
        case lines(first: Int, offset: Int)
        /// Rows of a dump, one a line.
        case rows([Row])
    }

    struct Row: Sendable {
        /// 1 for the first row of the dump.
        var number: Int
        /// Of the event: in the input, and in `bytes`.
        var offset: Int
        var start: Int
    }

    /// Where a fault of a line is in the input. Lines count from 1; the offset is in `bytes`.
    func place(ofLine line: Int, offset: Int) -> InputPlace {
        switch origin {
        case .lines(let first, let start): InputPlace(kind: .line, number: first + line - 1, offset: start + offset)
        case .rows(let rows):
            InputPlace(
                kind: .row, number: rows[line - 1].number,
                offset: rows[line - 1].offset + offset - rows[line - 1].start)
        }
    }
}

/// A place in the input: a line or a row, from 1, and the byte.
struct InputPlace: Equatable, Sendable {
    enum Kind: String, Sendable {
        case line
        case row
    }

    let kind: Kind
    let number: Int
    let offset: Int
}

/// What of the input was refused.
struct RefusedInput: Error, Equatable, Sendable {
    let place: InputPlace
    let reason: String
    let message: String

    var description: String { "\(place.kind.rawValue) \(place.number), byte \(place.offset): \(message) (\(reason))" }
}

extension RefusedInput {
    init(_ fault: EventFault, at place: InputPlace) {
        self.init(place: place, reason: fault.reason.rawValue, message: fault.message)
    }
}

/// Cuts the input into batches, always in the same places.
protocol BatchReader {
    var input: InputFile { get }
    /// `nil` at the end.
    mutating func next() throws -> InputBatch?
}

enum BatchBounds {
    /// Lines of a batch, and bytes of the input that it takes in, below those of the store.
    static let lines = 10_000
    static let bytes = 8 << 20
    /// Of the rules by which the input is cut. Runs under different rules do not recognise each other.
    static let version: UInt64 = 1
}
