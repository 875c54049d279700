import SegmentFormat
import TestSupport
import Testing

@testable import LogEngine

/// V9: which segments live, by what they say that they replace.
@Suite("Succession")
struct SuccessionTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        /// Segments that are there, and what each replaces.
        let present: [UInt64: [UInt64]]
        let living: [UInt64]

        init(_ description: String, _ present: [UInt64: [UInt64]], _ living: [UInt64]) {
            (testDescription, self.present, self.living) = (description, present, living)
        }
    }

    private static let cases = [
        Case("nothing", [:], []),
        Case("nothing is replaced", [1: [], 2: []], [1, 2]),
        Case("cut off before the swap: all inputs are there", [1: [], 2: [], 3: [1, 2]], [1, 2]),
        Case("cut off behind the first output of two", [1: [], 2: [], 3: [1, 2], 5: []], [1, 2, 5]),
        Case("an input is gone", [2: [], 3: [1, 2], 4: [1, 2]], [3, 4]),
        Case("all inputs are gone", [3: [1, 2], 4: [1, 2], 5: []], [3, 4, 5]),
        Case("a chain, the first inputs gone, the second pass not finished", [3: [1], 4: [2, 3], 2: []], [2, 3]),
        Case("a chain, both finished", [3: [1], 5: [2, 3]], [5]),
        Case("a chain, both finished, dead files of both there", [1: [], 3: [1], 5: [2, 3]], [5]),
        Case(
            "part of a pass's outputs went into the next", [1: [], 2: [], 3: [1, 2], 4: [1, 2], 7: [3, 6]], [4, 7]),
        Case("part of a pass's outputs, next not finished", [3: [1, 2], 4: [1, 2], 6: [], 7: [3, 6]], [3, 4, 6]),
        Case("a pass that was given up, and the one that took its place", [2: [], 4: [1, 2], 5: [1, 2, 3]], [5]),
        Case("given up, and its successor not finished", [1: [], 2: [], 3: [], 4: [1, 2], 5: [1, 2, 3]], [1, 2, 3]),
        Case("a segment rewritten by itself", [2: [1], 3: [2]], [2]),
    ]

    @Test("what lives", arguments: cases)
    func living(_ story: Case) {
        let present = story.present.map { (SegmentNumber($0), $1.map { SegmentNumber($0) }) }
        let living = Succession.living(Dictionary(uniqueKeysWithValues: present))
        #expect(living.map(\.value).sorted() == story.living)
    }

    /// Passes one after another, of what lived then; the last may not be finished. Of the dead files those are
    /// still there that no later one outlived.
    @Test("after random passes, and whatever number of dead files is gone, what lived lives", arguments: 1...200)
    func random(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var present: [SegmentNumber: [SegmentNumber]] = [:]
        var living: [SegmentNumber] = []
        var dead: [SegmentNumber] = []
        var next = SegmentNumber(1)
        func number() -> SegmentNumber {
            defer { next = next.next }
            return next
        }
        for _ in 0..<8 {
            for _ in 0..<Int.random(in: 0...2, using: &random) {
                living.append(number())
                present[living[living.count - 1]] = []
            }
            let inputs = living.filter { _ in random.oneIn(2) }
            guard !inputs.isEmpty else { continue }
            let outputs = (0..<Int.random(in: 1...3, using: &random)).map { _ in number() }
            for output in outputs { present[output] = inputs }
            living.removeAll { inputs.contains($0) }
            living += outputs
            dead += inputs.sorted()
        }
        if let last = living.randomElement(using: &random), random.oneIn(2) { present[number()] = [last] }
        // The last pass that was finished must have lost an input, or nobody can tell that it was.
        for gone in dead.indices {
            var files = present
            for segment in dead[...gone] { files[segment] = nil }
            guard dead[(gone + 1)...].isEmpty || isLastPassTold(files, living) else { continue }
            #expect(Succession.living(files) == Set(living), "seed \(seed), gone \(dead[...gone].map(\.value))")
        }
    }

    private func isLastPassTold(
        _ files: [SegmentNumber: [SegmentNumber]], _ living: [SegmentNumber]
    ) -> Bool {
        living.allSatisfy { segment in
            files[segment]?.isEmpty ?? true || files[segment]?.contains { files[$0] == nil } ?? false
        }
    }
}
