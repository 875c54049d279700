import Testing

@testable import Settings

@Suite("schedules")
struct ScheduleTests {
    private static let minute: UInt64 = 60_000
    private static let day: UInt64 = 1_440 * minute
    private static let midnight: UInt64 = 20_000 * day

    struct Case: Sendable {
        let schedule: Schedule
        /// Since midnight.
        let now: UInt64
        let minutes: UInt64

        init(_ schedule: Schedule, _ now: UInt64, _ minutes: UInt64) {
            (self.schedule, self.now, self.minutes) = (schedule, now, minutes)
        }
    }

    private static let nightly = Schedule.daily([180, 930])

    private static let cases: [Case] = [
        Case(nightly, 0, 180), Case(nightly, 180 * minute - 1, 180), Case(nightly, 180 * minute, 930),
        Case(nightly, 930 * minute, 1_620), Case(.daily([0]), 0, 1_440), Case(.daily([0]), day - 1, 1_440),
        Case(.daily([1_439]), day - 1, 2_879), Case(.every(minute), 0, 1), Case(.every(minute), minute - 1, 1),
        Case(.every(minute), minute, 2),
        // 480,000 hours are 68,571 times 7 hours, and 3 hours.
        Case(.every(420 * minute), 0, 240),
    ]

    @Test("the next time is the first after now", arguments: cases)
    func next(sample: Case) {
        let next = sample.schedule.next(after: Self.midnight + sample.now)
        #expect(next == Self.midnight + sample.minutes * Self.minute)
    }

    @Test("however it is asked, every time comes once")
    func sequence() {
        var (time, times) = (Self.midnight - 1, [UInt64]())
        for _ in 0..<6 {
            time = Schedule.daily([0, 60]).next(after: time)
            times.append((time - Self.midnight) / Self.minute)
        }
        #expect(times == [0, 60, 1_440, 1_500, 2_880, 2_940])
    }
}
