/// What a regular expression is made of.
indirect enum PatternNode: Equatable {
    case empty
    case scalar(ScalarSet)
    case sequence([PatternNode])
    case either([PatternNode])
    /// `most` is `nil` without a limit.
    case repeated(PatternNode, least: Int, most: Int?)
    /// `^`, and `$`: they match where the text begins and ends.
    case start
    case end
}

/// Reads the syntax of RE2, without what a whole match needs no more: back references and look-around, which RE2
/// has not either, `\b`, Unicode classes and `\Q…\E` are refused by name.
struct PatternParser {
    private static let deepest = 100
    private static let mostRepetitions = 1_000

    private let scalars: [Unicode.Scalar]
    private var position = 0
    private var depth = 0
    private var ignoresCase = false
    private var dotTakesNewline = false

    private init(_ text: String) { scalars = Array(text.unicodeScalars) }

    static func parse(_ text: String) throws(PatternFault) -> PatternNode {
        var parser = PatternParser(text)
        let node = try parser.alternation()
        guard parser.next == nil else { throw parser.fault("there is no group that this ) would end") }
        return node
    }

    private var next: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

    private func fault(_ reason: String) -> PatternFault { PatternFault(offset: position, reason: reason) }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard next == scalar else { return false }
        position += 1
        return true
    }

    private mutating func take() throws(PatternFault) -> Unicode.Scalar {
        guard let scalar = next else { throw fault("it ends too early") }
        position += 1
        return scalar
    }

    private mutating func alternation() throws(PatternFault) -> PatternNode {
        var choices = [try sequence()]
        while take("|") { choices.append(try sequence()) }
        return choices.count == 1 ? choices[0] : .either(choices)
    }

    private mutating func sequence() throws(PatternFault) -> PatternNode {
        var parts: [PatternNode] = []
        while let scalar = next, scalar != "|", scalar != ")" {
            if let part = try piece() { parts.append(part) }
        }
        return parts.isEmpty ? .empty : parts.count == 1 ? parts[0] : .sequence(parts)
    }

    /// `nil` for flags that hold from here on.
    private mutating func piece() throws(PatternFault) -> PatternNode? {
        guard let atom = try atom() else { return nil }
        guard let (least, most) = try repetition() else { return atom }
        if try repetition() != nil { throw fault("a repetition is repeated") }
        return .repeated(atom, least: least, most: most)
    }

    /// Whether it is greedy or not makes no difference to a match of the whole text.
    private mutating func repetition() throws(PatternFault) -> (least: Int, most: Int?)? {
        let bounds: (Int, Int?)
        switch next {
        case "*": bounds = (0, nil)
        case "+": bounds = (1, nil)
        case "?": bounds = (0, 1)
        case "{":
            guard let counted = try countedRepetition() else { return nil }
            _ = take("?")
            return counted
        default: return nil
        }
        position += 1
        _ = take("?")
        return bounds
    }

    /// `{2}`, `{2,}` or `{2,5}`; any other brace stands for itself.
    private mutating func countedRepetition() throws(PatternFault) -> (least: Int, most: Int?)? {
        let begin = position
        position += 1
        guard let least = number() else {
            position = begin
            return nil
        }
        var most: Int? = least
        if take(",") { most = number() }
        guard take("}") else {
            position = begin
            return nil
        }
        guard max(least, most ?? 0) <= Self.mostRepetitions, least <= most ?? least else {
            position = begin
            throw fault("a repetition counts from a number to a larger one of at most \(Self.mostRepetitions)")
        }
        return (least, most)
    }

    private mutating func number() -> Int? {
        var value: Int?
        while let digit = next, ("0"..."9").contains(digit) {
            value = min((value ?? 0) * 10 + Int(digit.value - 0x30), Self.mostRepetitions + 1)
            position += 1
        }
        return value
    }

    private mutating func atom() throws(PatternFault) -> PatternNode? {
        switch next {
        case "(": return try group()
        case "[": return .scalar(folded(try bracket()))
        case "*", "+", "?": throw fault("there is nothing to repeat")
        case "{":
            if try countedRepetition() != nil { throw fault("there is nothing to repeat") }
        case "\\": return try escape()
        default: break
        }
        switch try take() {
        case ".": return .scalar(dotTakesNewline ? .any : .anyButNewline)
        case "^": return .start
        case "$": return .end
        case let scalar: return .scalar(folded(ScalarSet(scalar)))
        }
    }

    private func folded(_ set: ScalarSet) -> ScalarSet { ignoresCase ? set.ignoringCase : set }

    // MARK: - Groups

    private mutating func group() throws(PatternFault) -> PatternNode? {
        position += 1
        depth += 1
        guard depth <= Self.deepest else { throw fault("its groups are nested too deep") }
        defer { depth -= 1 }
        let outer = (ignoresCase, dotTakesNewline)
        if take("?"), try !groupHead() { return nil }
        let node = try alternation()
        (ignoresCase, dotTakesNewline) = outer
        guard take(")") else { throw fault("a group has no end") }
        return node
    }

    /// What stands behind `(?`. False where it was flags alone, which hold for the rest of the group around.
    private mutating func groupHead() throws(PatternFault) -> Bool {
        if take("P") || next == "<" {
            guard take("<"), next != "=", next != "!" else { throw fault("look-around is not supported") }
            while try take() != ">" {}
            return true
        }
        var sets = true
        while true {
            switch try take() {
            case "i": ignoresCase = sets
            case "s": dotTakesNewline = sets
            case "-" where sets: sets = false
            case ":": return true
            case ")": return false
            default:
                position -= 1
                throw fault("(? is followed by :, by P<name> or by the flags i and s")
            }
        }
    }

    // MARK: - Escapes and classes

    private mutating func escape() throws(PatternFault) -> PatternNode {
        position += 1
        guard let letter = next else { throw fault("a \\ escapes nothing") }
        if letter == "A" || letter == "z" {
            position += 1
            return letter == "A" ? .start : .end
        }
        return .scalar(folded(try escapedSet()))
    }

    /// Behind a backslash, here and in a class.
    private mutating func escapedSet() throws(PatternFault) -> ScalarSet {
        let letter = try take()
        if let set = ScalarSet.escaped(letter) { return set }
        switch letter {
        case "a": return ScalarSet("\u{07}")
        case "f": return ScalarSet("\u{0C}")
        case "n": return ScalarSet("\n")
        case "r": return ScalarSet("\r")
        case "t": return ScalarSet("\t")
        case "v": return ScalarSet("\u{0B}")
        case "x": return ScalarSet(try hexadecimal())
        case let other where other.value < 0x80 && !other.properties.isAlphabetic && !("0"..."9").contains(other):
            return ScalarSet(other)
        default:
            position -= 1
            throw fault("\\\(letter) is not supported")
        }
    }

    /// `41` or `{1F600}`.
    private mutating func hexadecimal() throws(PatternFault) -> Unicode.Scalar {
        var digits = ""
        if take("{") {
            while !take("}") { digits.unicodeScalars.append(try take()) }
        } else {
            for _ in 0..<2 { digits.unicodeScalars.append(try take()) }
        }
        guard digits.unicodeScalars.allSatisfy(\.properties.isASCIIHexDigit), let value = UInt32(digits, radix: 16),
            let scalar = Unicode.Scalar(value)
        else { throw fault("\\x names no character") }
        return scalar
    }

    private mutating func bracket() throws(PatternFault) -> ScalarSet {
        position += 1
        var set = ScalarSet()
        let isNegated = take("^")
        var isFirst = true
        while isFirst || next != "]" {
            isFirst = false
            guard next != nil else { throw fault("a class has no end") }
            try member(of: &set)
        }
        position += 1
        set.isNegated = isNegated
        return set
    }

    private mutating func member(of set: inout ScalarSet) throws(PatternFault) {
        if let named = try namedSet() { return set.formUnion(named) }
        let low = try bound()
        guard next == "-", position + 1 < scalars.count, scalars[position + 1] != "]" else {
            return set.formUnion(low)
        }
        position += 1
        let high = try bound()
        guard let first = low.only, let last = high.only, first <= last else {
            throw fault("a range of a class goes from a character to a later one")
        }
        set.insert(first...last)
    }

    private mutating func bound() throws(PatternFault) -> ScalarSet {
        take("\\") ? try escapedSet() : ScalarSet(try take())
    }

    /// `[:alpha:]`, and with `^` behind the colon what it leaves out.
    private mutating func namedSet() throws(PatternFault) -> ScalarSet? {
        guard next == "[", position + 1 < scalars.count, scalars[position + 1] == ":" else { return nil }
        position += 2
        let isNegated = take("^")
        var name = ""
        while let scalar = next, ("a"..."z").contains(scalar) {
            name.unicodeScalars.append(scalar)
            position += 1
        }
        guard var set = ScalarSet.named(name), take(":"), take("]") else { throw fault("there is no such class") }
        set.isNegated = isNegated
        return set
    }
}

extension ScalarSet {
    /// Of a set of one.
    fileprivate var only: UInt32? {
        guard !isNegated, ranges.count == 1, ranges[0].count == 1 else { return nil }
        return ranges[0].lowerBound
    }
}
