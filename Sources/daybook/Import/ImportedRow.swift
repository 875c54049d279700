/// A row as the calls take it: JSON, which goes through the same door.
struct ImportedRow {
    let json: JSONValue

    init(_ row: SQLiteRow, _ fields: [ImportedField]) throws(ImportFault) {
        var members: [(name: String, value: JSONValue)] = []
        var device: [(name: String, value: JSONValue)] = []
        for (column, field) in fields.enumerated() {
            guard let value = try Self.value(row[column], field) else { continue }
            if field == .deviceID || ImportedField.description.contains(field) {
                device.append((field.rawValue, value))
            } else {
                members.append((field.rawValue, value))
            }
        }
        if !device.isEmpty { members.append(("device_info", .object(device))) }
        json = .object(members)
    }

    /// `nil` where there is none.
    private static func value(_ value: SQLiteRow.Value, _ field: ImportedField) throws(ImportFault) -> JSONValue? {
        switch (field, value) {
        case (_, .null): return nil
        case (_, .bytes): throw ImportFault("\(field.rawValue) is no text")
        case (.timestamp, .integer(let number)): return .text(try time(Double(number)))
        case (.timestamp, .real(let number)): return .text(try time(number))
        case (.timestamp, .text(let text)): return .text(SQLiteTime.rfc3339(text))
        case (.mobile, .integer(let number)): return .bool(number != 0)
        case (.mobile, .real(let number)): return .bool(number != 0)
        case (.mobile, .text(let text)): return .bool(["1", "t", "true", "y", "yes"].contains(text.lowercased()))
        case (_, .integer(let number)): return .text(String(number))
        case (_, .real(let number)): return .text(String(number))
        case (_, .text(let text)): return text.isEmpty ? nil : .text(text)
        }
    }

    /// Seconds since 1970, or milliseconds from 10^11 on.
    private static func time(_ number: Double) throws(ImportFault) -> String {
        let milliseconds = number < 100_000_000_000 ? number * 1_000 : number
        guard milliseconds >= 0, milliseconds < 253_402_300_800_000 else {
            throw ImportFault("the timestamp is not from 1970 to 9999")
        }
        return timeText(UInt64(milliseconds))
    }
}

/// Why a row cannot be taken.
struct ImportFault: Error {
    let description: String
    init(_ description: String) { self.description = description }
}

/// The forms in which programs leave times in SQLite, which knows none.
enum SQLiteTime {
    /// Makes `2018-01-02 03:04:05`, a date alone and Go's `2018-01-02 03:04:05.6 +0100 CET m=+1.2` RFC 3339. Without an
    /// offset they are UTC; what is none of them stays as it is.
    static func rfc3339(_ text: String) -> String {
        let bytes = Array(text.utf8)
        if bytes.count == 10 { return "\(text)T00:00:00Z" }
        guard bytes.count >= 19 else { return text }
        var end = 19
        if end < bytes.count, bytes[end] == UInt8(ascii: ".") {
            end += 1
            while end < bytes.count, isDigit(bytes[end]) { end += 1 }
        }
        let moment = String(decoding: bytes[..<end], as: UTF8.self)
        let rest = bytes[end...].drop { $0 == UInt8(ascii: " ") }
        if rest.isEmpty { return moment + "Z" }
        guard let offset = offset(Array(rest)) else { return text }
        return moment + offset
    }

    private static func offset(_ rest: [UInt8]) -> String? {
        if rest.first.map({ $0 | 0x20 }) == UInt8(ascii: "z"), rest.count == 1 { return "Z" }
        guard rest.first == UInt8(ascii: "+") || rest.first == UInt8(ascii: "-") else { return nil }
        let digits = rest.dropFirst().prefix { isDigit($0) || $0 == UInt8(ascii: ":") }.filter(isDigit)
        guard digits.count == 4 else { return nil }
        let text = String(decoding: digits, as: UTF8.self)
        return String(decoding: rest.prefix(1), as: UTF8.self) + text.prefix(2) + ":" + text.suffix(2)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}
