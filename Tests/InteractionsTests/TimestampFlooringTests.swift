import Interactions
import SegmentFormat
import Testing

struct Flooring: Sendable {
    var resolution: Resolution
    var given: UInt64
    var stored: UInt64
    var bucket: UInt64

    init(_ resolution: Resolution, _ given: UInt64, stored: UInt64, bucket: UInt64) {
        (self.resolution, self.given, self.stored, self.bucket) = (resolution, given, stored, bucket)
    }
}

@Suite("Timestamps are floored in their own unit")
struct TimestampFlooringTests {
    static let milliseconds: [Flooring] = [
        Flooring(.tenMinutes, 1_361_407_200_000, stored: 1_361_407_200_000, bucket: 1_361_407_200_000),
        Flooring(.tenMinutes, 1_361_407_200_001, stored: 1_361_407_200_000, bucket: 1_361_407_200_000),
        Flooring(.tenMinutes, 1_361_407_799_999, stored: 1_361_407_200_000, bucket: 1_361_407_200_000),
        Flooring(.tenMinutes, 1_361_407_800_000, stored: 1_361_407_800_000, bucket: 1_361_407_800_000),
        Flooring(.tenMinutes, 13_330_461_000_000, stored: 13_330_461_000_000, bucket: 13_330_461_000_000),
        Flooring(.tenMinutes, 253_402_300_799_999, stored: 253_402_300_200_000, bucket: 253_402_300_200_000),
        Flooring(.oneHour, 1_333_046_104_322, stored: 1_333_044_000_000, bucket: 1_333_044_000_000),
        Flooring(.oneDay, 253_402_300_799_999, stored: 253_402_214_400_000, bucket: 253_402_214_400_000),
        Flooring(.oneSecond, 100_000_000_999, stored: 100_000_000_000, bucket: 100_000_000_000),
        Flooring(.width(8), 100_000_000_007, stored: 100_000_000_000, bucket: 100_000_000_000),
        Flooring(.oneMillisecond, 100_000_000_000, stored: 100_000_000_000, bucket: 100_000_000_000),
        Flooring(.oneMillisecond, 253_402_300_799_999, stored: 253_402_300_799_999, bucket: 253_402_300_799_999),
    ]

    static let seconds: [Flooring] = [
        Flooring(.tenMinutes, 1, stored: 0, bucket: 0),
        Flooring(.tenMinutes, 599, stored: 0, bucket: 0),
        Flooring(.tenMinutes, 600, stored: 600, bucket: 600_000),
        Flooring(.tenMinutes, 1_336_575_273, stored: 1_336_575_000, bucket: 1_336_575_000_000),
        Flooring(.tenMinutes, 99_999_999_999, stored: 99_999_999_600, bucket: 99_999_999_600_000),
        Flooring(.oneDay, 86_399, stored: 0, bucket: 0),
        Flooring(.oneDay, 1_336_575_273, stored: 1_336_521_600, bucket: 1_336_521_600_000),
        Flooring(.width(2_000), 7, stored: 6, bucket: 6_000),
        Flooring(.oneSecond, 1, stored: 1, bucket: 1_000),
        Flooring(.width(8), 99_999_999_999, stored: 99_999_999_999, bucket: 99_999_999_999_000),
        Flooring(.oneMillisecond, 1, stored: 1, bucket: 1_000),
        Flooring(.oneMillisecond, 99_999_999_999, stored: 99_999_999_999, bucket: 99_999_999_999_000),
    ]

    /// In March 1973 flooring takes milliseconds below 10^11. The bucket is right; the digits are those of
    /// the rule, though who reads them again would take them for seconds.
    static let acrossTheBoundary: [Flooring] = [
        Flooring(.tenMinutes, 100_000_000_000, stored: 99_999_600_000, bucket: 99_999_600_000),
        Flooring(.tenMinutes, 100_000_199_999, stored: 99_999_600_000, bucket: 99_999_600_000),
        Flooring(.tenMinutes, 100_000_200_000, stored: 100_000_200_000, bucket: 100_000_200_000),
        Flooring(.oneDay, 100_000_000_000, stored: 99_964_800_000, bucket: 99_964_800_000),
    ]

    @Test("the stored value and the bucket", arguments: milliseconds + seconds + acrossTheBoundary)
    func floor(example: Flooring) {
        for frame in [("{\"timestamp\":", "}"), ("{\"a\":1,\"timestamp\" : ", " , \"b\":2}")] {
            let stored = scan(frame.0 + String(example.given) + frame.1, resolution: example.resolution).stored
            #expect(stored?.text == frame.0 + String(example.stored) + frame.1)
            #expect(stored?.bucket == Bucket(milliseconds: example.bucket))
        }
    }

    @Test("a timestamp knows its moment in milliseconds, and its range")
    func moments() {
        #expect(EventTimestamp(0) == nil)
        #expect(EventTimestamp(1)?.milliseconds == 1_000)
        #expect(EventTimestamp(99_999_999_999)?.milliseconds == 99_999_999_999_000)
        #expect(EventTimestamp(100_000_000_000)?.milliseconds == 100_000_000_000)
        #expect(EventTimestamp(253_402_300_799_999)?.milliseconds == 253_402_300_799_999)
        #expect(EventTimestamp(253_402_300_800_000) == nil)
        #expect(EventTimestamp(.max) == nil)
    }
}
