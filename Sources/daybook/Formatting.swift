import Glibc
import Settings

// Numbers, times and tables for people.

extension FixedWidthInteger {
    /// With a comma every three digits.
    var grouped: String {
        var digits = String(magnitude)
        var end = digits.endIndex
        while let comma = digits.index(end, offsetBy: -3, limitedBy: digits.startIndex), comma > digits.startIndex {
            digits.insert(",", at: comma)
            end = comma
        }
        return self < 0 ? "-" + digits : digits
    }
}

/// A time in milliseconds, as `2026-11-21T03:50:00Z`; fractions only where there are any.
func timeText(_ milliseconds: UInt64) -> String {
    guard let seconds = Int(exactly: milliseconds / 1_000), seconds < 253_402_300_800 else {
        return String(milliseconds)
    }
    var moment = seconds
    var parts = tm()
    gmtime_r(&moment, &parts)
    let date = [padded(Int(parts.tm_year) + 1900, 4), padded(Int(parts.tm_mon) + 1, 2), padded(Int(parts.tm_mday), 2)]
    let clock = [parts.tm_hour, parts.tm_min, parts.tm_sec].map { padded(Int($0), 2) }
    let fraction = milliseconds % 1_000 == 0 ? "" : "." + padded(Int(milliseconds % 1_000), 3)
    return date.joined(separator: "-") + "T" + clock.joined(separator: ":") + fraction + "Z"
}

/// Days since 1970 as a date.
func dayText(_ day: Int) -> String { String(timeText(UInt64(day) * 86_400_000).prefix(10)) }

/// Bytes with a unit that leaves three digits or fewer before the point, and three in all.
func sizeText(_ bytes: some BinaryInteger) -> String {
    guard bytes >= 1_024 else { return "\(bytes) B" }
    var value = Double(bytes)
    var units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"][...]
    while value >= 999.5, units.count > 1 {
        value /= 1_024
        units = units.dropFirst()
    }
    let text = value < 9.995 ? decimalText(value) : value < 99.95 ? tenths(value) : String(Int(value.rounded()))
    return "\(text) \(units.first ?? "")"
}

private func tenths(_ value: Double) -> String {
    let tenths = Int((value * 10).rounded())
    return "\(tenths / 10).\(tenths % 10)"
}

/// A width of time: the largest unit that gives a whole number.
func durationText(_ milliseconds: UInt64) -> String { Quantity.text(milliseconds: milliseconds) }

/// Two digits behind the point.
func decimalText(_ value: Double) -> String {
    let hundredths = Int((value * 100).rounded())
    return "\(hundredths / 100).\(padded(hundredths % 100, 2))"
}

func padded(_ value: Int, _ width: Int) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
}

/// Rows of right-aligned columns, two spaces apart.
struct Table {
    private var rows: [[String]]

    init(_ titles: [String]) { rows = [titles] }

    mutating func add(_ row: [String]) { rows.append(row) }

    var text: String {
        let widths = rows[0].indices.map { column in rows.reduce(0) { max($0, $1[column].count) } }
        return rows.map { row in
            zip(row, widths).map { String(repeating: " ", count: $1 - $0.count) + $0 }.joined(separator: "  ") + "\n"
        }.joined()
    }
}
