import ArgumentParser

/// A time as people write it, which may depend on when it is read.
enum TimeArgument: Equatable {
    /// Milliseconds since 1970.
    case moment(UInt64)
    /// A whole day, UTC: days since 1970.
    case day(UInt64)
    /// Milliseconds before now.
    case ago(UInt64)
    /// A whole day, UTC: days before today.
    case daysAgo(UInt64)

    private static let dayMilliseconds: UInt64 = 86_400_000
    private static let units: [(name: String, milliseconds: UInt64)] = [
        ("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", dayMilliseconds), ("w", 7 * dayMilliseconds),
    ]

    /// For help and errors.
    static let accepted = """
        A time is a number of milliseconds or seconds since 1970, a moment as 2026-11-20T08:30:00Z or +01:00, a day \
        (UTC) as 2026-11-20, today or yesterday, a time ago as 30m, 2h, 7d or 1w, or now.
        """

    init(_ text: String) throws(TimeFault) {
        switch text {
        case "now": self = .ago(0)
        case "today": self = .daysAgo(0)
        case "yesterday": self = .daysAgo(1)
        default:
            guard let first = text.utf8.first, (0x30...0x39).contains(first) else {
                throw TimeFault("this is no time")
            }
            if text.utf8.contains(UInt8(ascii: "-")) {
                self = try CalendarText(text).argument
            } else if text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
                self = .moment(try Self.sinceEpoch(text))
            } else {
                self = .ago(try Self.stretch(text))
            }
        }
    }

    /// As in an event: below 10^11 it is seconds.
    private static func sinceEpoch(_ text: String) throws(TimeFault) -> UInt64 {
        guard let number = UInt64(text) else { throw TimeFault("the number is too large") }
        return number < 100_000_000_000 ? number * 1_000 : number
    }

    private static func stretch(_ text: String) throws(TimeFault) -> UInt64 {
        let digits = text.prefix { ("0"..."9").contains($0) }
        guard let unit = units.first(where: { $0.name == text.dropFirst(digits.count) }) else {
            throw TimeFault("'\(text.dropFirst(digits.count))' is no unit of time")
        }
        guard let count = UInt64(digits) else { throw TimeFault("the number is too large") }
        let (milliseconds, overflows) = count.multipliedReportingOverflow(by: unit.milliseconds)
        guard !overflows else { throw TimeFault("the number is too large") }
        return milliseconds
    }

    /// The milliseconds that it stands for, both ends in: one, or those of a day. What lies before 1970
    /// starts there.
    func range(now: UInt64) -> ClosedRange<UInt64> {
        switch self {
        case .moment(let milliseconds): return milliseconds...milliseconds
        case .day(let day): return Self.milliseconds(ofDay: day)
        case .ago(let milliseconds):
            let moment = now - min(milliseconds, now)
            return moment...moment
        case .daysAgo(let days):
            let today = now / Self.dayMilliseconds
            return Self.milliseconds(ofDay: today - min(days, today))
        }
    }

    private static func milliseconds(ofDay day: UInt64) -> ClosedRange<UInt64> {
        day * dayMilliseconds...(day + 1) * dayMilliseconds - 1
    }
}

extension TimeArgument {
    /// Turns the text of an option into a time.
    @Sendable static func parsed(_ text: String) throws -> TimeArgument { try TimeArgument(text) }
}

/// Why a text is no time, and what is one.
struct TimeFault: Error, Equatable, CustomStringConvertible {
    let reason: String

    init(_ reason: String) { self.reason = reason }

    var description: String { "\(reason). \(TimeArgument.accepted)" }
}

/// `--from` and `--to`, for commands that read a range.
struct RangeOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("First time; of a day its beginning.", valueName: "time"),
        transform: TimeArgument.parsed)
    var from: TimeArgument?

    @Option(
        help: ArgumentHelp("Last time, itself included; of a day its end.", valueName: "time"),
        transform: TimeArgument.parsed)
    var to: TimeArgument?

    /// Milliseconds, both ends in.
    func range(now: UInt64) throws -> ClosedRange<UInt64> { try Self.range(from: from, to: to, now: now) }

    static func range(from: TimeArgument?, to: TimeArgument?, now: UInt64) throws -> ClosedRange<UInt64> {
        let first = from?.range(now: now).lowerBound ?? 0
        let last = to?.range(now: now).upperBound ?? .max
        guard first <= last else {
            throw CommandFailure(.usage, "--from (\(timeText(first))) must not be after --to (\(timeText(last)))")
        }
        return first...last
    }
}
