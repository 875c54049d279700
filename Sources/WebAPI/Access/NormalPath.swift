/// The path of a request as routing and access both see it: decoded once, without empty, `.` and `..`
/// segments and without a slash at its end. Printable ASCII alone, so that no two spellings mean one path.
struct NormalPath: Hashable, Sendable {
    /// Bytes of a path as it is sent. A longer one is refused.
    static let longest = 1_024

    /// Why a path cannot be normalised safely.
    enum Fault: String, Error, CaseIterable {
        case tooLong = "it is longer than 1024 bytes"
        case notAbsolute = "it does not begin with a slash"
        case badEscape = "a % is not followed by two hexadecimal digits"
        case escapedSlash = "a slash is escaped"
        case forbiddenByte = "it has a byte that is not printable ASCII, or a backslash"
        case parameters = "it has a ; or #"
        case aboveRoot = "its .. segments lead above the root"
    }

    let text: String

    /// - Parameter raw: the path of a request target, without its query.
    init(_ raw: String) throws(Fault) {
        guard raw.utf8.count <= Self.longest else { throw .tooLong }
        if Self.isNormal(raw) {
            text = raw
        } else {
            text = try Self.joined(Self.segments(try Self.decoded(raw.utf8)))
        }
    }

    /// Whether nothing has to be done, as of nearly all.
    private static func isNormal(_ raw: String) -> Bool {
        var previous = UInt8(0)
        for byte in raw.utf8 {
            switch byte {
            case slash:
                if previous == slash { return false }
            case dot:
                if previous == slash || previous == 0 { return false }
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                if previous == 0 { return false }
            default: return false
            }
            previous = byte
        }
        return previous != slash && previous != 0
    }

    private static let slash = UInt8(ascii: "/")
    private static let dot = UInt8(ascii: ".")

    private static func decoded(_ raw: String.UTF8View) throws(Fault) -> [UInt8] {
        guard raw.first == slash else { throw .notAbsolute }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(raw.count)
        var rest = raw[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                guard byte != UInt8(ascii: ";"), byte != UInt8(ascii: "#") else { throw .parameters }
                bytes.append(try checked(byte))
                continue
            }
            guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else {
                throw .badEscape
            }
            let escaped = high << 4 | low
            guard escaped != slash else { throw .escapedSlash }
            bytes.append(try checked(escaped))
        }
        return bytes
    }

    private static func checked(_ byte: UInt8) throws(Fault) -> UInt8 {
        guard (0x20...0x7E).contains(byte), byte != UInt8(ascii: "\\") else { throw .forbiddenByte }
        return byte
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    private static func segments(_ bytes: [UInt8]) throws(Fault) -> [ArraySlice<UInt8>] {
        var segments: [ArraySlice<UInt8>] = []
        for segment in bytes.split(separator: slash) {
            if segment.elementsEqual([dot]) { continue }
            guard segment.elementsEqual([dot, dot]) else {
                segments.append(segment)
                continue
            }
            guard segments.popLast() != nil else { throw .aboveRoot }
        }
        return segments
    }

    private static func joined(_ segments: [ArraySlice<UInt8>]) -> String {
        segments.isEmpty ? "/" : segments.map { "/" + String(decoding: $0, as: UTF8.self) }.joined()
    }
}
