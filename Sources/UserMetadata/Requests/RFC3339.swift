import StrictJSON

/// Moments as RFC 3339 writes them, in milliseconds since 1970.
public enum RFC3339 {
    private static let dayMilliseconds = 86_400_000

    /// What a timestamp says: a moment, or Go's zero time, which is what its clients send for none.
    enum Reading: Equatable {
        case moment(UInt64)
        case zero
    }

    /// Every form that RFC 3339 allows: `t`, `z` and a space for `T`, a fraction of any length (cut at the
    /// millisecond), any offset, a leap second (the moment it begins). `nil` for anything else, and for
    /// moments before 1970 or behind the year 9999.
    static func read(_ text: [UInt8]) -> Reading? {
        var reader = DigitReader(text)
        guard let year = reader.digits(4), reader.take("-"), let month = reader.digits(2), reader.take("-"),
            let day = reader.digits(2), reader.takeSeparator(), let hour = reader.digits(2), reader.take(":"),
            let minute = reader.digits(2), reader.take(":"), let second = reader.digits(2),
            let fraction = reader.fraction(), let offset = reader.offset(), reader.isAtEnd
        else { return nil }
        guard (1...12).contains(month), (1...daysOf(month, year)).contains(day), hour <= 23, minute <= 59 else {
            return nil
        }
        let isLeapSecond = second == 60
        guard second <= 59 || isLeapSecond else { return nil }
        if year == 1, month == 1, day == 1, hour + minute + second + fraction + offset == 0 { return .zero }
        let seconds = (hour * 60 + minute - offset) * 60 + (isLeapSecond ? 59 : second)
        if isLeapSecond, (seconds + 1) % 86_400 != 0 { return nil }
        let moment = days(year, month, day) * dayMilliseconds + seconds * 1_000 + (isLeapSecond ? 999 : fraction)
        guard moment >= 0, moment <= EventBounds.timestamps.upperBound else { return nil }
        return .moment(UInt64(moment))
    }

    private static func daysOf(_ month: Int, _ year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days since 1970-01-01; after Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
    private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let marchYear = year - (month > 2 ? 0 : 1)
        let yearOfEra = marchYear % 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return marchYear / 400 * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// `2026-11-21T10:00:00Z`, with three digits of milliseconds where there are any. 24 bytes at most.
    static func append(_ milliseconds: UInt64, to bytes: inout [UInt8]) {
        let moment = Int(milliseconds)
        let days = moment / dayMilliseconds + 719_468
        let (era, dayOfEra) = (days / 146_097, days % 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        append(era * 400 + yearOfEra + (month <= 2 ? 1 : 0), 4, "-", to: &bytes)
        append(month, 2, "-", to: &bytes)
        append(dayOfYear - (153 * marchMonth + 2) / 5 + 1, 2, "T", to: &bytes)
        let time = moment % dayMilliseconds
        append(time / 3_600_000, 2, ":", to: &bytes)
        append(time / 60_000 % 60, 2, ":", to: &bytes)
        append(time / 1_000 % 60, 2, time % 1_000 == 0 ? "Z" : ".", to: &bytes)
        if time % 1_000 != 0 { append(time % 1_000, 3, "Z", to: &bytes) }
    }

    private static func append(_ value: Int, _ digits: Int, _ end: Unicode.Scalar, to bytes: inout [UInt8]) {
        if digits > 3 { bytes.append(Ascii.zero + UInt8(value / 1_000 % 10)) }
        if digits > 2 { bytes.append(Ascii.zero + UInt8(value / 100 % 10)) }
        bytes.append(Ascii.zero + UInt8(value / 10 % 10))
        bytes.append(Ascii.zero + UInt8(value % 10))
        bytes.append(UInt8(ascii: end))
    }

    public static func text(of milliseconds: UInt64) -> String {
        var bytes: [UInt8] = []
        append(milliseconds, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// Takes digits and marks from the front of a text.
private struct DigitReader {
    private let text: [UInt8]
    private var index = 0

    init(_ text: [UInt8]) { self.text = text }

    var isAtEnd: Bool { index == text.count }

    mutating func digits(_ count: Int) -> Int? {
        guard index + count <= text.count else { return nil }
        var value = 0
        for byte in text[index..<index + count] {
            guard Ascii.isDigit(byte) else { return nil }
            value = value * 10 + Int(byte - Ascii.zero)
        }
        index += count
        return value
    }

    mutating func take(_ mark: Unicode.Scalar) -> Bool {
        guard index < text.count, text[index] == UInt8(ascii: mark) else { return false }
        index += 1
        return true
    }

    mutating func takeSeparator() -> Bool { take("T") || take("t") || take(" ") }

    /// In milliseconds; 0 where there is none.
    mutating func fraction() -> Int? {
        guard take(".") else { return 0 }
        let start = index
        var (value, unit) = (0, 100)
        while index < text.count, Ascii.isDigit(text[index]) {
            value += Int(text[index] - Ascii.zero) * unit
            unit /= 10
            index += 1
        }
        return index > start ? value : nil
    }

    /// In minutes.
    mutating func offset() -> Int? {
        if take("Z") || take("z") { return 0 }
        let sign = take("+") ? 1 : take("-") ? -1 : 0
        guard sign != 0, let hours = digits(2), take(":"), let minutes = digits(2), hours <= 23, minutes <= 59 else {
            return nil
        }
        return sign * (hours * 60 + minutes)
    }
}
