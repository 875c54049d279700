/// When something is done again and again. Times are milliseconds since 1970, UTC.
public enum Schedule: Equatable, Sendable {
    /// Minutes since midnight, rising.
    case daily([Int])
    /// At the multiples of so many milliseconds, counted from 1970.
    case every(UInt64)

    private static let day: UInt64 = 86_400_000

    /// The first time after `now`.
    public func next(after now: UInt64) -> UInt64 {
        switch self {
        case .every(let width): return (now / width + 1) * width
        case .daily(let minutes):
            let midnight = now / Self.day * Self.day
            let times = minutes.map { midnight + UInt64($0) * 60_000 }
            return times.first { $0 > now } ?? (times.first ?? midnight) + Self.day
        }
    }

    /// `at` or `every`, one of them.
    init?(_ section: inout Section) {
        guard section.isPresent else { return nil }
        let times = section.values("at", .timeOfDay, atLeast: 1, atMost: ConfigurationBounds.dayTimes)
        let width = section.value("every", .time(1_000...30 * Self.day))
        let named = ["at", "every"].filter { section.holds($0) }
        section.end()
        if named.count != 1 {
            section.reading.refuse(
                section.origin, section.path, named.isEmpty ? "needs at or every" : "has both at and every; keep one")
        }
        if let width {
            self = .every(width)
        } else if !times.isEmpty {
            self = .daily(Set(times).sorted())
        } else {
            return nil
        }
    }
}
