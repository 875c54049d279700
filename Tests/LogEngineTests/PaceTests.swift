import Testing

@testable import LogEngine

@Suite("Pace")
struct PaceTests {
    @Test(
        "so many bytes are due at their second, however many come at once",
        arguments: [1_000, 1_000_000_000] as [UInt64])
    func rate(bytesPerSecond: UInt64) {
        var pace = Pace(bytesPerSecond: bytesPerSecond)
        #expect(pace.wait(after: .zero) == .zero)
        pace.take(Int(bytesPerSecond) * 90 + Int(bytesPerSecond) / 2)
        #expect(pace.wait(after: .zero) == .milliseconds(90_500))
        #expect(pace.wait(after: .seconds(90)) == .milliseconds(500))
        #expect(pace.wait(after: .milliseconds(90_500)) == .zero)
        #expect(pace.wait(after: .seconds(1_000)) == .zero)
        pace.take(Int(bytesPerSecond))
        #expect(pace.wait(after: .seconds(91)) == .milliseconds(500))
    }

    @Test("no rate, no wait")
    func unbounded() {
        var pace = Pace(bytesPerSecond: nil)
        pace.take(1 << 40)
        #expect(pace.wait(after: .zero) == .zero)
    }
}
