/// `2026-11-20`, or a moment of RFC 3339: `2026-11-20T08:30:00.250+01:00`.
struct CalendarText {
    let argument: TimeArgument

    private static let form = "a date is 2026-11-20, a moment 2026-11-20T08:30:00Z or 2026-11-20T08:30:00+01:00"

    init(_ text: String) throws(TimeFault) {
        var fields = Fields(text)
        let day = try Self.day(&fields)
        if fields.isAtEnd {
            guard let day = UInt64(exactly: day) else { throw TimeFault("this is before 1970") }
            argument = .day(day)
            return
        }
        guard fields.take(anyOf: "Tt ") != nil else { throw TimeFault(Self.form) }
        let time = try Self.time(&fields)
        let offset = try Self.offset(&fields)
        guard fields.isAtEnd else { throw TimeFault("something follows the moment") }
        guard let moment = UInt64(exactly: day * 86_400_000 + time - offset) else {
            throw TimeFault("this is before 1970")
        }
        argument = .moment(moment)
    }

    /// Days since 1970, which may be negative.
    private static func day(_ fields: inout Fields) throws(TimeFault) -> Int {
        guard let year = fields.number(digits: 4), fields.take(anyOf: "-") != nil,
            let month = fields.number(digits: 2), fields.take(anyOf: "-") != nil, let day = fields.number(digits: 2)
        else { throw TimeFault(form) }
        guard (1...12).contains(month) else { throw TimeFault("there is no month \(month)") }
        let days = daysIn(month, of: year)
        guard (1...days).contains(day) else { throw TimeFault("month \(month) of \(year) has \(days) days") }
        return daysSinceEpoch(year, month, day)
    }

    private static func daysIn(_ month: Int, of year: Int) -> Int {
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        return [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
    }

    /// Of the proleptic Gregorian calendar. Years begin in March here, so that the leap day is their
    /// last; after Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
    private static func daysSinceEpoch(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let shifted = month > 2 ? year : year - 1
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// Milliseconds of the day; finer digits are dropped.
    private static func time(_ fields: inout Fields) throws(TimeFault) -> Int {
        guard let hour = fields.number(digits: 2), fields.take(anyOf: ":") != nil,
            let minute = fields.number(digits: 2), fields.take(anyOf: ":") != nil,
            let second = fields.number(digits: 2)
        else { throw TimeFault("a time of day is 08:30:00, with its seconds") }
        guard hour < 24, minute < 60, second < 60 else {
            throw TimeFault("a time of day goes from 00:00:00 to 23:59:59")
        }
        var milliseconds = 0
        if fields.take(anyOf: ".") != nil {
            guard let fraction = fields.fraction() else { throw TimeFault("digits must follow the point") }
            milliseconds = fraction
        }
        return ((hour * 60 + minute) * 60 + second) * 1_000 + milliseconds
    }

    /// Milliseconds that local time is ahead of UTC.
    private static func offset(_ fields: inout Fields) throws(TimeFault) -> Int {
        guard let sign = fields.take(anyOf: "Zz+-") else {
            throw TimeFault("a moment ends with Z, for UTC, or with an offset as +01:00")
        }
        guard sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") else { return 0 }
        guard let hours = fields.number(digits: 2), fields.take(anyOf: ":") != nil,
            let minutes = fields.number(digits: 2), hours < 24, minutes < 60
        else { throw TimeFault("an offset is +01:00 or -05:30") }
        let milliseconds = (hours * 60 + minutes) * 60_000
        return sign == UInt8(ascii: "+") ? milliseconds : -milliseconds
    }
}

/// What is left of a text that is taken apart.
private struct Fields {
    private var rest: Substring.UTF8View

    init(_ text: String) { rest = Substring(text).utf8 }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func take(anyOf choices: StaticString) -> UInt8? {
        guard let byte = rest.first,
            UnsafeBufferPointer(start: choices.utf8Start, count: choices.utf8CodeUnitCount).contains(byte)
        else { return nil }
        rest.removeFirst()
        return byte
    }

    mutating func number(digits count: Int) -> Int? {
        guard let digits = digits(count), digits.count == count else { return nil }
        return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }

    /// Thousandths, of at least one digit.
    mutating func fraction() -> Int? {
        guard let digits = digits(rest.count) else { return nil }
        let three = (Array(digits.prefix(3)) + [0x30, 0x30]).prefix(3)
        return three.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }

    private mutating func digits(_ most: Int) -> Substring.UTF8View? {
        let digits = rest.prefix(most).prefix { (0x30...0x39).contains($0) }
        guard !digits.isEmpty else { return nil }
        rest = rest[digits.endIndex...]
        return digits
    }
}
