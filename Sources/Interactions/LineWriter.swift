import StrictJSON

/// Copies what is kept of a line, in as few pieces as there are changes. The target holds as many bytes as
/// the source, and every change shortens the line or leaves its length.
struct LineWriter {
    private let source: UnsafeRawPointer
    private let target: UnsafeMutableRawPointer
    /// What lies before this in the source is written or dropped.
    private var consumed: Int
    private(set) var byteCount = 0
    /// Where the last kept comma of the top object is, or will be, in the target.
    private var comma = 0

    @inline(__always)
    init(from source: UnsafeRawPointer, startingAt start: Int, into target: UnsafeMutableRawPointer) {
        self.source = source
        self.target = target
        self.consumed = start
    }

    @inline(__always)
    mutating func copy(to end: Int) {
        (target + byteCount).copyMemory(from: source + consumed, byteCount: end &- consumed)
        byteCount &+= end &- consumed
        consumed = end
    }

    @inline(__always)
    mutating func keepComma(at index: Int) {
        comma = byteCount &+ (index &- consumed)
    }

    /// A member goes with the comma after it.
    @inline(never)
    mutating func drop(from member: Int, throughComma end: Int) {
        copy(to: member)
        consumed = end
    }

    /// The last member goes with the comma before it. Between the two there is at most white space, since
    /// dropped members took their own commas with them.
    @inline(never)
    mutating func dropLast(from member: Int, to end: Int) {
        copy(to: member)
        byteCount = comma
        consumed = end
    }

    /// Writes a number in place of the digits in `range`, of which it needs no more.
    @inline(never)
    mutating func replace(_ range: Range<Int>, with number: UInt64) {
        copy(to: range.lowerBound)
        let digits = Self.digitCount(number)
        var rest = number
        for position in stride(from: byteCount + digits - 1, through: byteCount, by: -1) {
            target.storeBytes(of: Ascii.zero + UInt8(rest % 10), toByteOffset: position, as: UInt8.self)
            rest /= 10
        }
        byteCount += digits
        consumed = range.upperBound
    }

    private static func digitCount(_ number: UInt64) -> Int {
        var count = 1
        var rest = number / 10
        while rest > 0 {
            count += 1
            rest /= 10
        }
        return count
    }

    /// In valid JSON a CR or LF stands only between tokens, so each may become a space wherever it is.
    @inline(never)
    func blankLineBreaks() {
        for index in 0..<byteCount {
            let byte = target.load(fromByteOffset: index, as: UInt8.self)
            guard byte == Ascii.carriageReturn || byte == Ascii.lineFeed else { continue }
            target.storeBytes(of: Ascii.space, toByteOffset: index, as: UInt8.self)
        }
    }
}
