import SegmentFormat

/// JSON on its way out, written as Python's `json.dumps` writes it, so that the output of `dump` and
/// of `tools/read_segment.py` can be compared byte by byte.
indirect enum JSONValue {
    case null
    case bool(Bool)
    case number(UInt64)
    case decimal(String)
    case text(String)
    case list([JSONValue])
    case object([(name: String, value: JSONValue)])

    static func number(_ value: Int) -> JSONValue { .number(UInt64(value)) }

    var description: String {
        var text = ""
        write(to: &text)
        return text
    }

    private func write(to output: inout String) {
        switch self {
        case .null: output += "null"
        case .bool(let value): output += value ? "true" : "false"
        case .number(let value): output += String(value)
        case .decimal(let value): output += value
        case .text(let value): Self.write(value, to: &output)
        case .list(let values):
            output += "["
            for (index, value) in values.enumerated() {
                if index > 0 { output += ", " }
                value.write(to: &output)
            }
            output += "]"
        case .object(let members):
            output += "{"
            for (index, member) in members.enumerated() {
                if index > 0 { output += ", " }
                Self.write(member.name, to: &output)
                output += ": "
                member.value.write(to: &output)
            }
            output += "}"
        }
    }

    private static func write(_ text: String, to output: inout String) {
        output += "\""
        guard text.utf8.contains(where: { $0 < 0x20 || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") }) else {
            output += text + "\""
            return
        }
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": output += "\\\""
            case "\\": output += "\\\\"
            case "\u{0}"..<"\u{20}": output += "\\u" + String(UInt64(scalar.value).hex.suffix(4))
            default: output.unicodeScalars.append(scalar)
            }
        }
        output += "\""
    }
}
