import SegmentFormat

/// The rules of SPEC T1–T3 once more, as plainly and slowly as possible: recursive descent over an
/// array, keys compared as decoded text, the stored line put together member by member. It shares no code
/// with `EventScanner`, so that where the two agree both are probably right.
struct ReferenceParser {
    struct Refused: Error {}

    private struct Member {
        var key: [UInt16]
        var start: Int
        var valueStart: Int
        var end: Int
        /// Of the comma after it.
        var comma: Int?
    }

    private let bytes: [UInt8]
    private var index = 0

    static func stored(_ bytes: [UInt8], resolution: Resolution) -> StoredEvent? {
        guard bytes.count <= 1_048_576, String(validating: bytes, as: UTF8.self) != nil else { return nil }
        var parser = ReferenceParser(bytes: bytes)
        return try? parser.event(resolution)
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private mutating func event(_ resolution: Resolution) throws -> StoredEvent {
        skipSpace()
        let start = index
        let members = try object(depth: 1)
        let end = index
        skipSpace()
        guard index == bytes.count else { throw Refused() }
        return try storedEvent(members, in: start..<end, resolution)
    }

    // MARK: Grammar

    private mutating func value(depth: Int) throws {
        switch peek {
        case "{": _ = try object(depth: depth)
        case "[": try array(depth: depth)
        case "\"": _ = try string()
        case "t": try literal("true")
        case "f": try literal("false")
        case "n": try literal("null")
        default: try number()
        }
    }

    private mutating func object(depth: Int) throws -> [Member] {
        try open("{", depth: depth)
        var members: [Member] = []
        if accept("}") { return [] }
        repeat {
            if !members.isEmpty { members[members.count - 1].comma = index - 1 }
            skipSpace()
            let start = index
            let key = try string()
            skipSpace()
            guard accept(":") else { throw Refused() }
            skipSpace()
            let valueStart = index
            try value(depth: depth + 1)
            members.append(Member(key: key, start: start, valueStart: valueStart, end: index, comma: nil))
            skipSpace()
        } while accept(",")
        guard accept("}") else { throw Refused() }
        return members
    }

    private mutating func array(depth: Int) throws {
        try open("[", depth: depth)
        if accept("]") { return }
        repeat {
            skipSpace()
            try value(depth: depth + 1)
            skipSpace()
        } while accept(",")
        guard accept("]") else { throw Refused() }
    }

    private mutating func open(_ bracket: Character, depth: Int) throws {
        guard accept(bracket), depth <= 64 else { throw Refused() }
        skipSpace()
    }

    /// The code units that the string stands for; bytes outside ASCII are left out, no name has any.
    private mutating func string() throws -> [UInt16] {
        guard accept("\"") else { throw Refused() }
        var units: [UInt16] = []
        var pendingHigh = false
        while !accept("\"") {
            guard index < bytes.count, bytes[index] >= 0x20 else { throw Refused() }
            var unit = UInt16(bytes[index])
            index += 1
            var isEscapedUnit = false
            if unit == 0x5C {
                isEscapedUnit = peek == "u"
                unit = try escape()
            }
            let isLow = isEscapedUnit && (0xDC00...0xDFFF).contains(unit)
            guard pendingHigh == isLow else { throw Refused() }
            pendingHigh = isEscapedUnit && (0xD800...0xDBFF).contains(unit)
            units.append(unit)
        }
        guard !pendingHigh else { throw Refused() }
        return units
    }

    private mutating func escape() throws -> UInt16 {
        let letter = peek
        index += 1
        guard letter == "u" else {
            guard "\"\\/bfnrt".contains(letter) else { throw Refused() }
            return letter == "\"" || letter == "\\" || letter == "/" ? UInt16(letter.asciiValue ?? 0) : 1
        }
        let digits = bytes[min(index, bytes.count)..<min(index + 4, bytes.count)]
        guard digits.count == 4, digits.allSatisfy({ Character(UnicodeScalar($0)).isHexDigit }) else { throw Refused() }
        index += 4
        return UInt16(String(decoding: digits, as: UTF8.self), radix: 16) ?? 0
    }

    private mutating func literal(_ text: String) throws {
        guard bytes[index...].starts(with: text.utf8) else { throw Refused() }
        index += text.utf8.count
    }

    private mutating func number() throws {
        _ = accept("-")
        let integer = digits()
        guard integer == "0" || (!integer.isEmpty && !integer.hasPrefix("0")) else { throw Refused() }
        if accept("."), digits().isEmpty { throw Refused() }
        if accept("e") || accept("E") {
            _ = accept("+") || accept("-")
            if digits().isEmpty { throw Refused() }
        }
    }

    private mutating func digits() -> String {
        let run = bytes[index...].prefix { (0x30...0x39).contains($0) }
        index += run.count
        return String(decoding: run, as: UTF8.self)
    }

    /// NUL, which no rule accepts, at the end.
    private var peek: Character { index < bytes.count ? Character(UnicodeScalar(bytes[index])) : "\0" }

    private mutating func accept(_ character: Character) -> Bool {
        guard index < bytes.count, peek == character else { return false }
        index += 1
        return true
    }

    private mutating func skipSpace() {
        while index < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[index]) { index += 1 }
    }

    // MARK: What is stored

    private func storedEvent(
        _ members: [Member], in event: Range<Int>, _ resolution: Resolution
    ) throws -> StoredEvent {
        let named = members.filter { $0.key == Array("timestamp".utf16) }
        guard named.count == 1, let timestamp = named.first else { throw Refused() }
        let digits = String(decoding: bytes[timestamp.valueStart..<timestamp.end], as: UTF8.self)
        guard digits.allSatisfy(\.isNumber), let moment = UInt64(digits), moment >= 1, moment <= 253_402_300_799_999
        else { throw Refused() }
        let unit: UInt64 = moment < 100_000_000_000 ? 1_000 : 1
        let floored = moment * unit / resolution.milliseconds * resolution.milliseconds

        var kept = bytes.map(Optional.some)
        kept[timestamp.valueStart..<timestamp.end] = []
        kept.insert(contentsOf: String(floored / unit).utf8.map(Optional.some), at: timestamp.valueStart)
        kept.insert(
            contentsOf: repeatElement(nil, count: digits.count - String(floored / unit).count), at: timestamp.valueStart
        )
        for dropped in droppedRanges(members) { for position in dropped { kept[position] = nil } }
        let line = kept[event].compactMap { $0 }.map { $0 == 0x0A || $0 == 0x0D ? 0x20 : $0 }
        return StoredEvent(line: line, bucket: Bucket(milliseconds: floored))
    }

    /// Each dropped member with the comma after it; those at the end with the last comma before them.
    private func droppedRanges(_ members: [Member]) -> [Range<Int>] {
        let names = ["_id", "_rev"].map { Array($0.utf16) }
        let lastKept = members.lastIndex { !names.contains($0.key) } ?? 0
        var ranges: [Range<Int>] = []
        for (position, member) in members.enumerated() where names.contains(member.key) && position < lastKept {
            ranges.append(member.start..<(member.comma ?? member.end) + 1)
        }
        if let comma = members[lastKept].comma, let last = members.last { ranges.append(comma..<last.end) }
        return ranges
    }
}
