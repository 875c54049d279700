// An automaton that is in all its states at once (K. Thompson, Regular Expression Search Algorithm, CACM 1968), so
// the time of a match is at most the length of the pattern times that of the text, whatever the pattern. A backtracking
// engine, as Swift's `Regex` is, would let `(a+)+` and a path of forty bytes hold up an event loop for hours.

/// A regular expression in the syntax of RE2 that matches texts as a whole (SPEC AC4).
struct Pattern: Sendable {
    static let longest = 1_024
    private static let mostSteps = 4_096
    /// Repetitions of nothing make no steps, but take their time.
    private static let mostVisits = 65_536

    private enum Step {
        case take(ScalarSet)
        case split(Int, Int)
        case jump(Int)
        case start
        case end
        case match
    }

    private var steps: [Step] = []
    private var visits = 0

    /// - Throws: where the text is no pattern: what is wrong, and at which character.
    init(_ text: String) throws(PatternFault) {
        guard text.utf8.count <= Self.longest else {
            throw PatternFault(offset: 0, reason: "it is longer than \(Self.longest) bytes")
        }
        try compile(try PatternParser.parse(text))
        try add(.match)
    }

    func matches(_ text: String) -> Bool {
        var states = States(steps.count)
        enter(0, &states, isAtStart: true, isAtEnd: text.isEmpty)
        var rest = text.unicodeScalars[...]
        while let scalar = rest.popFirst() {
            guard !states.current.isEmpty else { return false }
            let current = states.advance()
            for index in current {
                if case .take(let set) = steps[index], set.contains(scalar) {
                    enter(index + 1, &states, isAtStart: false, isAtEnd: rest.isEmpty)
                }
            }
        }
        return states.current.contains { if case .match = steps[$0] { true } else { false } }
    }

    private struct States {
        private(set) var current: [Int] = []
        /// The turn in which a step was entered last.
        private var entered: [Int]
        private var turn = 1

        init(_ count: Int) { entered = [Int](repeating: 0, count: count) }

        mutating func advance() -> [Int] {
            turn += 1
            defer { current = [] }
            return current
        }

        /// False where the step was entered before in this turn.
        mutating func enter(_ index: Int) -> Bool {
            guard entered[index] != turn else { return false }
            entered[index] = turn
            return true
        }

        mutating func stay(at index: Int) { current.append(index) }
    }

    private func enter(_ first: Int, _ states: inout States, isAtStart: Bool, isAtEnd: Bool) {
        var waiting = [first]
        while let index = waiting.popLast() {
            guard states.enter(index) else { continue }
            switch steps[index] {
            case .take, .match: states.stay(at: index)
            case .jump(let target): waiting.append(target)
            case .split(let a, let b): waiting += [a, b]
            case .start: if isAtStart { waiting.append(index + 1) }
            case .end: if isAtEnd { waiting.append(index + 1) }
            }
        }
    }

    // MARK: - Compilation

    @discardableResult
    private mutating func add(_ step: Step) throws(PatternFault) -> Int {
        guard steps.count < Self.mostSteps else { throw .tooLarge }
        steps.append(step)
        return steps.count - 1
    }

    private mutating func compile(_ node: PatternNode) throws(PatternFault) {
        visits += 1
        guard visits <= Self.mostVisits else { throw .tooLarge }
        switch node {
        case .empty: break
        case .scalar(let set): try add(.take(set))
        case .start: try add(.start)
        case .end: try add(.end)
        case .sequence(let parts): for part in parts { try compile(part) }
        case .either(let choices): try compile(choices: choices)
        case .repeated(let node, let least, let most):
            for _ in 0..<least { try compile(node) }
            if let most { try compile(node, upTo: most - least) } else { try compile(loop: node) }
        }
    }

    private mutating func compile(choices: [PatternNode]) throws(PatternFault) {
        var ends: [Int] = []
        for choice in choices.dropLast() {
            let split = try add(.match)
            try compile(choice)
            ends.append(try add(.match))
            steps[split] = .split(split + 1, steps.count)
        }
        if let last = choices.last { try compile(last) }
        for end in ends { steps[end] = .jump(steps.count) }
    }

    private mutating func compile(_ node: PatternNode, upTo count: Int) throws(PatternFault) {
        var splits: [Int] = []
        for _ in 0..<count {
            splits.append(try add(.match))
            try compile(node)
        }
        for split in splits { steps[split] = .split(split + 1, steps.count) }
    }

    private mutating func compile(loop node: PatternNode) throws(PatternFault) {
        let split = try add(.match)
        try compile(node)
        try add(.jump(split))
        steps[split] = .split(split + 1, steps.count)
    }
}

/// What is wrong with a regular expression.
public struct PatternFault: Error, Equatable, Sendable {
    /// In characters, from 0.
    public let offset: Int
    public let reason: String

    static let tooLarge = PatternFault(offset: 0, reason: "its repetitions are too many")
}
