import SegmentFormat
import TestSupport
import Testing

@testable import LogEngine

@Suite("What may go")
struct RetentionTests {
    private func hold(_ from: Int, _ to: Int) -> Hold {
        Hold(number: 1, from: .ofTest(from), to: .ofTest(to), created: 0, reason: "x")
    }

    @Test("what is before the wanted bucket, as far as the first bucket of the earliest hold below it")
    func disposable() {
        let cases: [(wanted: Int, holds: [Hold], expected: Int)] = [
            (9, [], 9), (9, [hold(9, 10)], 9), (9, [hold(12, 20)], 9), (9, [hold(8, 8)], 8), (9, [hold(3, 20)], 3),
            (9, [hold(7, 7), hold(4, 5), hold(6, 30)], 4), (9, [hold(11, 12), hold(0, 1)], 0),
        ]
        for (wanted, holds, expected) in cases {
            #expect(Retention.disposable(before: .ofTest(wanted), holds: holds) == .ofTest(expected), "\(holds)")
        }
    }
}
