import Glibc

/// The lines of a body that has one event a line, in order.
///
/// LF or CRLF ends a line; the last one may lack it. A blank line (nothing but CR, space and tab) is left
/// out but counts. The lines borrow the body: they are valid as long as it is.
public struct NDJSONLines: Sequence, IteratorProtocol {
    /// A line without its end, its number (1 for the first) and where in the body it starts.
    public typealias Element = (line: UnsafeRawBufferPointer, number: Int, offset: Int)

    private let body: UnsafeRawBufferPointer
    private var offset = 0
    private var number = 0

    public init(_ body: UnsafeRawBufferPointer) {
        self.body = body
    }

    public mutating func next() -> Element? {
        while offset < body.count {
            let start = offset
            let end = lineFeed(from: start)
            offset = end &+ 1
            number &+= 1
            let line = UnsafeRawBufferPointer(rebasing: body[start..<contentEnd(of: start..<end)])
            if !Self.isBlank(line) { return (line, number, start) }
        }
        return nil
    }

    /// The index of the next line feed, or of the end.
    private func lineFeed(from start: Int) -> Int {
        guard let base = body.baseAddress,
            let found = memchr(base + start, Int32(Ascii.lineFeed), body.count - start)
        else { return body.count }
        return UnsafeRawPointer(found) - base
    }

    private func contentEnd(of line: Range<Int>) -> Int {
        guard let last = line.last, body[last] == Ascii.carriageReturn else { return line.upperBound }
        return last
    }

    private static func isBlank(_ line: UnsafeRawBufferPointer) -> Bool {
        line.allSatisfy { $0 == Ascii.space || $0 == Ascii.tab || $0 == Ascii.carriageReturn }
    }
}
