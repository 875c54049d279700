/// A set of Unicode scalars, as a character class names it.
struct ScalarSet: Equatable, Sendable {
    private(set) var ranges: [ClosedRange<UInt32>] = []
    var isNegated = false

    init(_ ranges: [ClosedRange<UInt32>] = [], isNegated: Bool = false) {
        self.ranges = ranges
        self.isNegated = isNegated
    }

    init(_ scalar: Unicode.Scalar) { self.init([scalar.value...scalar.value]) }

    func contains(_ scalar: Unicode.Scalar) -> Bool {
        ranges.contains { $0.contains(scalar.value) } != isNegated
    }

    mutating func insert(_ range: ClosedRange<UInt32>) { ranges.append(range) }

    /// Adds what another set holds.
    mutating func formUnion(_ other: ScalarSet) {
        ranges += other.isNegated ? Self.complement(other.ranges) : other.ranges
    }

    /// Without regard to the case of ASCII letters.
    var ignoringCase: ScalarSet {
        let (upper, lower) = (UInt32(0x41)...0x5A, UInt32(0x61)...0x7A)
        var folded = self
        for range in ranges {
            if range.overlaps(upper) {
                let letters = range.clamped(to: upper)
                folded.insert(letters.lowerBound + 0x20...letters.upperBound + 0x20)
            }
            if range.overlaps(lower) {
                let letters = range.clamped(to: lower)
                folded.insert(letters.lowerBound - 0x20...letters.upperBound - 0x20)
            }
        }
        return folded
    }

    private static func complement(_ ranges: [ClosedRange<UInt32>]) -> [ClosedRange<UInt32>] {
        var gaps: [ClosedRange<UInt32>] = []
        var next: UInt32 = 0
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if range.lowerBound > next { gaps.append(next...range.lowerBound - 1) }
            next = max(next, range.upperBound + 1)
        }
        if next <= 0x10FFFF { gaps.append(next...0x10FFFF) }
        return gaps
    }

    private static let digits: [ClosedRange<UInt32>] = [0x30...0x39]
    private static let letters: [ClosedRange<UInt32>] = [0x41...0x5A, 0x61...0x7A]

    static let any = ScalarSet(isNegated: true)
    static let anyButNewline = ScalarSet([0x0A...0x0A], isNegated: true)

    /// `\d`, `\w` and `\s`, which mean ASCII; the capital letter the rest.
    static func escaped(_ letter: Unicode.Scalar) -> ScalarSet? {
        switch letter {
        case "d", "D": ScalarSet(digits, isNegated: letter == "D")
        case "w", "W": ScalarSet(digits + letters + [0x5F...0x5F], isNegated: letter == "W")
        case "s", "S": ScalarSet([0x09...0x0A, 0x0C...0x0D, 0x20...0x20], isNegated: letter == "S")
        default: nil
        }
    }

    /// `[:alpha:]` and the others.
    static func named(_ name: String) -> ScalarSet? {
        let ranges: [ClosedRange<UInt32>]? =
            switch name {
            case "alnum": digits + letters
            case "alpha": letters
            case "ascii": [0...0x7F]
            case "blank": [0x09...0x09, 0x20...0x20]
            case "cntrl": [0...0x1F, 0x7F...0x7F]
            case "digit": digits
            case "graph": [0x21...0x7E]
            case "lower": [0x61...0x7A]
            case "print": [0x20...0x7E]
            case "punct": [0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E]
            case "space": [0x09...0x0D, 0x20...0x20]
            case "upper": [0x41...0x5A]
            case "word": digits + letters + [0x5F...0x5F]
            case "xdigit": [0x30...0x39, 0x41...0x46, 0x61...0x66]
            default: nil
            }
        return ranges.map { ScalarSet($0) }
    }
}
