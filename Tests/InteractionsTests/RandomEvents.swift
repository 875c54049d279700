/// Events that use the whole grammar, and damaged ones; the same for the same seed.
struct RandomEvents {
    private var random: SeededGenerator

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    mutating func event() -> [UInt8] {
        var members = (0..<Int.random(in: 0...4, using: &random)).map { _ in member(depth: 2) }
        let timestamp = Self.timestampKeys.anyElement(&random) + space() + ":" + space() + moment()
        members.insert(timestamp, at: Int.random(in: 0...members.count, using: &random))
        return Array((space() + object(members) + space()).utf8)
    }

    /// One to three changes at random places.
    mutating func damaged(_ event: [UInt8]) -> [UInt8] {
        var bytes = event
        for _ in 0..<Int.random(in: 1...3, using: &random) where !bytes.isEmpty {
            let position = Int.random(in: bytes.indices, using: &random)
            let byte = chance(2) ? Self.telling.anyElement(&random) : UInt8.random(in: 0...255, using: &random)
            switch Int.random(in: 0..<5, using: &random) {
            case 0: bytes.remove(at: position)
            case 1: bytes.insert(byte, at: position)
            case 2: bytes.swapAt(position, Int.random(in: bytes.indices, using: &random))
            case 3 where chance(4): bytes.removeSubrange(position...)
            default: bytes[position] = byte
            }
        }
        return bytes
    }

    // MARK: Parts

    private static let telling =
        Array("{}[]\",:\\u0123eE+-.dD89 \n\r\t\u{0}\u{1F}\u{7F}".utf8) + [0x80, 0xC0, 0xED, 0xF4]
    private static let timestampKeys = ["\"timestamp\"", "\"timestamp\"", "\"time\\u0073tamp\"", "\"\\u0074imestamp\""]
    private static let keys = [
        "_id", "_rev", "\\u005fid", "_\\u0072ev", "timestamps", "Timestamp", "time\\u005ftamp", "_ids", "", "é", "a",
    ]
    private static let characters = [
        "a", "b", " ", "/", "'", "\u{7F}", "é", "€", "😀", "\\n", "\\\"", "\\\\", "\\/", "\\u0000", "\\u00E9",
        "\\ud83d\\uDE00", "\\uFFFF", "long enough for a word", "\u{D7FF}", "\u{E000}", "\u{10FFFF}",
    ]
    private static let scalars = [
        "0", "-0", "12", "-1.5", "1e9", "1E-2", "0.0e+00", "1e999", "true", "false", "null", "[]", "{}", "[ ]",
        "{\n}", "{\"timestamp\":0}", "{\"_id\":1}", "[[],{}]",
    ]

    private mutating func chance(_ sides: Int) -> Bool { Int.random(in: 0..<sides, using: &random) == 0 }

    private mutating func space() -> String { chance(4) ? [" ", "\t", "\n", "\r\n", "  "].anyElement(&random) : "" }

    private mutating func moment() -> String {
        let largest: UInt64 = [1_000, 100_000_000_000, 253_402_300_799_999].anyElement(&random)
        return String(UInt64.random(in: 1...largest, using: &random))
    }

    private mutating func member(depth: Int) -> String {
        let key = chance(2) ? string() : "\"\(Self.keys.anyElement(&random))\""
        return key + space() + ":" + space() + value(depth: depth)
    }

    private mutating func value(depth: Int) -> String {
        if chance(3) { return string() }
        if depth > 5 || chance(2) { return Self.scalars.anyElement(&random) }
        let count = Int.random(in: 0...3, using: &random)
        if chance(2) { return object((0..<count).map { _ in member(depth: depth + 1) }) }
        return "[" + joined((0..<count).map { _ in value(depth: depth + 1) }) + "]"
    }

    private mutating func object(_ members: [String]) -> String { "{" + joined(members) + "}" }

    private mutating func joined(_ parts: [String]) -> String {
        parts.map { space() + $0 + space() }.joined(separator: ",")
    }

    private mutating func string() -> String {
        "\"" + (0..<Int.random(in: 0...5, using: &random)).map { _ in Self.characters.anyElement(&random) }.joined()
            + "\""
    }
}
