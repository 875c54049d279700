import Glibc
import TestSupport
import Testing

@testable import daybook

@Suite("times of the command line")
struct TimeArgumentTests {
    /// 2024-03-01T12:30:00Z, the day after a leap day.
    private static let now: UInt64 = 1_709_296_200_000
    private static let hour: UInt64 = 3_600_000
    private static let day: UInt64 = 24 * hour
    private static let midnight: UInt64 = 1_709_251_200_000

    @Test(
        "moments",
        arguments: [
            ("0", 0), ("1361407200", 1_361_407_200_000), ("99999999999", 99_999_999_999_000),
            ("100000000000", 100_000_000_000), ("1361407200123", 1_361_407_200_123), ("18446744073709551615", .max),
            ("now", now), ("0s", now), ("2h", now - 2 * hour), ("30m", now - hour / 2), ("7d", now - 7 * day),
            ("1w", now - 7 * day), ("90s", now - 90_000), ("250ms", now - 250), ("9999w", 0),
            ("1970-01-01T00:00:00Z", 0), ("1970-01-01T01:00:00+01:00", 0), ("1969-12-31T19:00:00-05:00", 0),
            ("2013-02-21T00:40:00Z", 1_361_407_200_000), ("2013-02-21t00:40:00z", 1_361_407_200_000),
            ("2013-02-21 00:40:00Z", 1_361_407_200_000), ("2013-02-21T06:10:00+05:30", 1_361_407_200_000),
            ("2013-02-20T20:10:00-04:30", 1_361_407_200_000), ("2013-02-21T00:40:00.5Z", 1_361_407_200_500),
            ("2013-02-21T00:40:00.0129999Z", 1_361_407_200_012), ("2024-02-29T00:00:00Z", midnight - day),
            ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
        ] as [(String, UInt64)])
    func moments(text: String, milliseconds: UInt64) throws {
        #expect(try TimeArgument(text).range(now: Self.now) == milliseconds...milliseconds)
    }

    @Test(
        "days begin at their first millisecond and end at their last, in UTC",
        arguments: [
            ("today", midnight), ("yesterday", midnight - day), ("2024-02-29", midnight - day), ("1970-01-01", 0),
            ("2000-02-29", 951_782_400_000), ("9999-12-31", 253_402_300_799_999 - day + 1),
        ] as [(String, UInt64)])
    func days(text: String, start: UInt64) throws {
        #expect(try TimeArgument(text).range(now: Self.now) == start...start + Self.day - 1)
    }

    @Test(
        "what is no time is refused for its reason",
        arguments: [
            ("", "this is no time"), ("tomorrow", "this is no time"), ("Today", "this is no time"),
            ("-1", "this is no time"), (" 1", "this is no time"), ("१", "this is no time"),
            ("2y", "'y' is no unit of time"), ("2 h", "' h' is no unit of time"), ("1.5h", "'.5h' is no unit of time"),
            ("2h30m", "'h30m' is no unit of time"), ("18446744073709551616", "the number is too large"),
            ("18446744073709551616s", "the number is too large"), ("9999999999999999999d", "the number is too large"),
            ("2023-02-29", "month 2 of 2023 has 28 days"), ("1900-02-29", "month 2 of 1900 has 28 days"),
            ("2026-04-31", "month 4 of 2026 has 30 days"), ("2026-01-00", "month 1 of 2026 has 31 days"),
            ("2026-13-01", "there is no month 13"), ("1969-12-31", "this is before 1970"),
            ("0000-01-01", "this is before 1970"), ("1970-01-01T00:00:00+00:01", "this is before 1970"),
            ("2026-11-20T08:30:00", "a moment ends with Z, for UTC, or with an offset as +01:00"),
            ("2026-11-20T08:30Z", "a time of day is 08:30:00, with its seconds"),
            ("2026-11-20T24:00:00Z", "a time of day goes from 00:00:00 to 23:59:59"),
            ("2026-11-20T23:59:60Z", "a time of day goes from 00:00:00 to 23:59:59"),
            ("2026-11-20T08:30:00.Z", "digits must follow the point"),
            ("2026-11-20T08:30:00+0100", "an offset is +01:00 or -05:30"),
            ("2026-11-20T08:30:00+24:00", "an offset is +01:00 or -05:30"),
            ("2026-11-20T08:30:00Zx", "something follows the moment"),
        ])
    func refused(text: String, reason: String) {
        #expect(throws: TimeFault(reason)) { try TimeArgument(text) }
    }

    @Test("a date needs all of its digits", arguments: ["2026-1-01", "2026-11", "26-11-20", "2026-11-20x", "2026-11-"])
    func dates(text: String) {
        let fault = #expect(throws: TimeFault.self) { try TimeArgument(text) }
        #expect(fault?.reason.hasPrefix("a date is 2026-11-20, a moment ") == true)
    }

    @Test("every day of 140 years, and random moments, are read back as they are written")
    func roundTrip() throws {
        for day in UInt64(0)..<365_243 {
            let text = String(timeText(day * Self.day).prefix(10))
            #expect(try TimeArgument(text) == .day(day), "\(text)")
        }
        var random = SeededRandom(seed: 9)
        for _ in 0..<20_000 {
            let moment = UInt64.random(in: 0...253_402_300_799_999, using: &random)
            #expect(try TimeArgument(timeText(moment)) == .moment(moment), "\(moment)")
        }
    }

    @Test("an offset moves a moment by itself")
    func offsets() throws {
        var random = SeededRandom(seed: 10)
        for _ in 0..<5_000 {
            let moment = UInt64.random(in: Self.day...4_000_000_000, using: &random) * 1_000
            let (hours, minutes) = (Int.random(in: 0...23, using: &random), Int.random(in: 0...59, using: &random))
            let local = String(timeText(moment).dropLast())
            let ahead = UInt64(hours * 60 + minutes) * 60_000
            let offset = "\(padded(hours, 2)):\(padded(minutes, 2))"
            #expect(try TimeArgument("\(local)+\(offset)") == .moment(moment - ahead))
            #expect(try TimeArgument("\(local)-\(offset)") == .moment(moment + ahead))
        }
    }

    @Test("no text traps")
    func hostile() {
        var random = SeededRandom(seed: 11)
        let letters = Array("0123456789--::TZ+.dhmsw \u{0}é")
        var accepted = 0
        for _ in 0..<50_000 {
            let count = Int.random(in: 0...26, using: &random)
            let text = String((0..<count).map { _ in letters[Int.random(in: 0..<letters.count, using: &random)] })
            if let time = try? TimeArgument(text) {
                accepted += 1
                #expect(time.range(now: Self.now).lowerBound <= time.range(now: Self.now).upperBound)
            }
        }
        #expect(accepted > 0)
    }

    @Test("--from and --to take the ends of days, and refuse to cross")
    func range() async throws {
        let now: @Sendable () -> UInt64 = { Self.now }
        try await WallClock.$now.withValue(now) {
            let options = try RangeOptions.parse(["--from", "yesterday", "--to", "today"])
            #expect(try options.range(now: WallClock.now()) == Self.midnight - Self.day...Self.midnight + Self.day - 1)
            let run = try await CommandRun("read", "--from", "today", "--to", "yesterday")
            #expect(run.status == 64)
            #expect(
                run.talk == "daybook: --from (2024-03-01T00:00:00Z) must not be after --to (2024-02-29T23:59:59.999Z)\n"
            )
        }
        let refused = try await CommandRun("read", "--to", "soon")
        #expect(refused.status == 64)
        #expect(
            refused.talk.hasPrefix("Error: The value 'soon' is invalid for '--to <time>': this is no time. A time is "))
    }
}
