import SegmentFormat

extension Bucket {
    static let dayMilliseconds: UInt64 = 86_400_000
    /// Days since 1970-01-01, UTC.
    var day: Int { Int(milliseconds / Self.dayMilliseconds) }
}

/// A UTC day as `2026-11-21`, of the proleptic Gregorian calendar. Years begin in March here, so that the
/// leap day is their last; after Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
enum DayName {
    private static let daysOfEra = 146_097
    /// From 0000-03-01 to 1970-01-01.
    private static let epoch = 719_468

    /// The name of a day, in days since 1970; of years beyond 9999 with more digits.
    static func text(_ day: UInt32) -> String {
        let days = Int(day) + epoch
        let (era, dayOfEra) = (days / daysOfEra, days % daysOfEra)
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        let year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0)
        return "\(digits(year, 4))-\(digits(month, 2))-\(digits(dayOfYear - (153 * marchMonth + 2) / 5 + 1, 2))"
    }

    /// The day that has this name, or `nil`: no day has two.
    static func day(_ name: String) -> UInt32? {
        let fields = name.split(separator: "-", omittingEmptySubsequences: false).map { UInt32($0) }
        guard fields.count == 3, let year = fields[0], let month = fields[1], let dayOfMonth = fields[2],
            year >= 1970, (1...12).contains(month), (1...31).contains(dayOfMonth)
        else { return nil }
        let marchYear = Int(year) - (month > 2 ? 0 : 1)
        let yearOfEra = marchYear % 400
        let dayOfYear = (153 * (Int(month) + (month > 2 ? -3 : 9)) + 2) / 5 + Int(dayOfMonth) - 1
        let days = marchYear / 400 * daysOfEra + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        guard let day = UInt32(exactly: days - epoch), text(day) == name else { return nil }
        return day
    }

    private static func digits(_ value: Int, _ count: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, count - text.count)) + text
    }
}
