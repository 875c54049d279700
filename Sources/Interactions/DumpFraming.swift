// Finds the rows of a dump in a stream of bytes. It only counts brackets and knows strings, so that a
// document with something wrong inside does not hide those behind it: each row is then read strictly,
// by `DumpRow`.

import StrictJSON

/// Cuts a CouchDB answer, `{…,"rows":[…],…}` or a bare array of rows, into its rows.
///
/// It is shown a window of the dump that grows at its end and is cut at its front; its indices are of the
/// window.
public struct DumpFraming {
    /// What was found next.
    public enum Step: Equatable {
        case row(Range<Int>)
        /// A row beyond the bound, which was not kept; the index of its start may lie before the window.
        case overlongRow(Int)
        /// The window ends first. What lies before `needed` is not looked at again.
        case more
        /// The dump is over, and only white space followed it.
        case end
    }

    /// The longest row that is kept: a document may stand in it twice.
    public static let maximumRowBytes = 2 * EventScanner.maximumByteCount + (64 << 10)

    private enum State {
        case start
        case firstKey, key, colon, value, afterValue
        case firstRow, row, afterRow
        case end
    }

    private var state = State.start
    private var position = 0
    /// Where the token begins that is being read.
    private var tokenStart: Int?
    private var extent = ValueExtent()
    private var isRowsKey = false
    private var hasRows = false
    private var isBare = false

    public init() {}

    /// The first index that is needed again.
    public var needed: Int { isOverlong ? position : tokenStart ?? position }

    private var isOverlong: Bool { tokenStart.map { position - $0 > Self.maximumRowBytes } ?? false }

    /// Tells that `count` bytes were cut from the front of the window; at most `needed`.
    public mutating func drop(_ count: Int) {
        position -= count
        tokenStart = tokenStart.map { $0 - count }
    }

    /// - Parameter isAtEnd: nothing comes behind the window.
    public mutating func next(_ bytes: UnsafeRawBufferPointer, isAtEnd: Bool) throws(DumpFault) -> Step {
        while true {
            if tokenStart == nil {
                while position < bytes.count, Self.isSpace(bytes[position]) { position += 1 }
                guard position < bytes.count else {
                    if isAtEnd, state == .end { return .end }
                    if isAtEnd { throw DumpFault(.truncated, at: position) }
                    return .more
                }
            }
            switch state {
            case .key, .firstKey, .value, .row, .firstRow:
                if tokenStart == nil, try closes(bytes[position]) { continue }
                guard let token = try token(bytes, isAtEnd) else { return .more }
                if state == .row || state == .firstRow {
                    state = .afterRow
                    return token.count > Self.maximumRowBytes ? .overlongRow(token.lowerBound) : .row(token)
                }
                try take(token, bytes)
            default: try punctuation(bytes[position])
            }
        }
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == Ascii.space || byte == Ascii.tab || byte == Ascii.lineFeed || byte == Ascii.carriageReturn
    }

    /// Steps over the bracket of an empty object or array, and into `rows`.
    private mutating func closes(_ byte: UInt8) throws(DumpFault) -> Bool {
        switch (state, byte) {
        case (.firstKey, Ascii.closeBrace): state = .end
        case (.firstRow, Ascii.closeBracket): state = isBare ? .end : .afterValue
        case (.value, Ascii.openBracket) where isRowsKey:
            state = .firstRow
            hasRows = true
        default: return false
        }
        try step()
        return true
    }

    /// A whole key, value or row; `nil` where the window ends first.
    private mutating func token(_ bytes: UnsafeRawBufferPointer, _ isAtEnd: Bool) throws(DumpFault) -> Range<Int>? {
        let start = tokenStart ?? position
        if tokenStart == nil { extent = ValueExtent() }
        tokenStart = start
        guard let end = extent.end(bytes, from: position) ?? (isAtEnd && extent.isScalar ? bytes.count : nil) else {
            position = bytes.count
            if isAtEnd { throw DumpFault(.truncated, at: position) }
            if isOverlong, state != .row, state != .firstRow { throw DumpFault(.tooLong, at: start) }
            return nil
        }
        guard end > start else { throw DumpFault(.syntax, at: start) }
        position = end
        tokenStart = nil
        return start..<end
    }

    private mutating func take(_ token: Range<Int>, _ bytes: UnsafeRawBufferPointer) throws(DumpFault) {
        guard token.count <= Self.maximumRowBytes else { throw DumpFault(.tooLong, at: token.lowerBound) }
        let slice = UnsafeRawBufferPointer(rebasing: bytes[token])
        guard var text = JSONText(slice) else { throw DumpFault(.syntax, at: token.lowerBound) }
        do throws(EventFault) {
            guard try text.valueEnd(from: 0) == text.count else { throw EventFault(.syntax, at: 0) }
        } catch {
            throw DumpFault(.syntax, at: token.lowerBound + error.offset)
        }
        guard state != .value else {
            state = .afterValue
            return
        }
        guard slice.first == Ascii.quote else { throw DumpFault(.syntax, at: token.lowerBound) }
        isRowsKey = slice.elementsEqual(#""rows""#.utf8)
        if isRowsKey, hasRows { throw DumpFault(.syntax, at: token.lowerBound) }
        state = .colon
    }

    private mutating func punctuation(_ byte: UInt8) throws(DumpFault) {
        switch (state, byte) {
        case (.start, Ascii.openBrace): state = .firstKey
        case (.start, Ascii.openBracket):
            state = .firstRow
            (isBare, hasRows) = (true, true)
        case (.colon, Ascii.colon): state = .value
        case (.afterValue, Ascii.comma): state = .key
        case (.afterValue, Ascii.closeBrace): state = .end
        case (.afterRow, Ascii.comma): state = .row
        case (.afterRow, Ascii.closeBracket): state = isBare ? .end : .afterValue
        case (.end, _): throw DumpFault(.trailingBytes, at: position)
        case (.start, _): throw DumpFault(.notADump, at: position)
        default: throw DumpFault(.syntax, at: position)
        }
        try step()
    }

    private mutating func step() throws(DumpFault) {
        if state == .end, !hasRows { throw DumpFault(.notADump, at: position) }
        position += 1
    }
}
