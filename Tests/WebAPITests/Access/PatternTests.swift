import TestSupport
import Testing

@testable import WebAPI

@Suite("patterns (AC4)")
struct PatternTests {
    @Test(
        "match whole texts",
        arguments: [
            ("", ["": true, "a": false]), ("a", ["a": true, "": false, "aa": false, "ba": false, "A": false]),
            ("a|b", ["a": true, "b": true, "ab": false, "xa": false, "bx": false]),
            ("^a|b$", ["a": true, "b": true, "ax": false, "xb": false]), ("ab*c", ["ac": true, "abbc": true]),
            ("(a|b)+", ["abba": true, "": false]), ("a?b??", ["": true, "ab": true, "b": true, "ba": false]),
            ("a{2}", ["a": false, "aa": true, "aaa": false]), ("a{2,}", ["a": false, "aaaa": true]),
            ("a{1,2}", ["": false, "a": true, "aa": true, "aaa": false]), ("a{,2}", ["a{,2}": true, "aa": false]),
            (".", ["a": true, "é": true, "": false, "\n": false, "ab": false]), ("(?s).", ["\n": true]),
            ("[a-c]x", ["bx": true, "dx": false]), ("[^a-c]x", ["bx": false, "dx": true]),
            ("[]a]", ["]": true, "a": true]), ("[a-]", ["-": true, "a": true, "b": false]),
            ("[\\d\\-]+", ["1-2": true, "a": false]), ("[[:alpha:]_]+", ["a_Z": true, "1": false]),
            ("[^[:^digit:]]", ["1": true, "a": false]), ("\\w+\\.\\d", ["a_1.2": true, "a_1x2": false]),
            ("\\D\\S\\W", ["aa-": true, "1a-": false]), ("(?i)Ab[c-d]", ["aBC": true, "abe": false]),
            ("(?i:a)b", ["Ab": true, "AB": false]), ("a(?i)b|c", ["aB": true, "C": true]),
            ("(a(?i)b)c", ["aBc": true, "aBC": false]), ("(?i)[^a]", ["A": false, "b": true]),
            ("\\x41\\x{1F600}", ["A😀": true]), ("(?P<n>a)(?<m>b)", ["ab": true]), ("(?:)*", ["": true, "a": false]),
            ("(a*)*", ["aaa": true, "b": false]), ("\\Aa\\z", ["a": true, "aa": false]), ("a^b", ["ab": false]),
            ("\\/api\\/.*", ["/api/x": true, "/api": false]), ("K", ["K": true, "\u{212A}": false]),
            ("é", ["\u{E9}": true, "e\u{301}": false]), ("(?-i)a", ["a": true]),
        ] as [(String, KeyValuePairs<String, Bool>)])
    func whole(pattern: String, texts: KeyValuePairs<String, Bool>) throws {
        let compiled = try Pattern(pattern)
        for (text, matches) in texts {
            #expect(compiled.matches(text) == matches, "\(pattern) on \(text.debugDescription)")
        }
    }

    @Test(
        "a fault is told with its place",
        arguments: [
            ("a)", 1), ("(a", 2), ("*a", 0), ("a**", 3), ("a{2}{3}", 7), ("[a", 2), ("a\\", 2), ("\\1", 1), ("\\b", 1),
            ("\\pL", 1), ("(?=a)", 2), ("(?<=a)", 3), ("(?!a)", 2), ("(?m)a", 2), ("[b-a]", 4), ("[[:nope:]]", 7),
            ("a{2,1}", 1), ("a{1001}", 1), ("{2}", 3), ("\\x{110000}", 10), ("\\xg1", 4), ("\\Qa", 1), ("[\\d-z]", 5),
            ("(?P=n)", 3), ("(?", 2),
        ])
    func faults(pattern: String, offset: Int) {
        #expect { try Pattern(pattern) } throws: { error in
            (error as? PatternFault)?.offset == offset
        }
    }

    @Test(
        "patterns that would take too much room or time are refused",
        arguments: [
            "((a{100}){100})", "(((a{9}){9}){9}){9}", String(repeating: "(", count: 101),
            String(repeating: "a", count: 1_025),
            "(((((){1000}){1000}){1000}){1000})",
        ])
    func tooLarge(pattern: String) {
        #expect(throws: PatternFault.self) { try Pattern(pattern) }
    }

    /// Backtracking would take 2^1000 steps, and this test for ever.
    @Test("the time of a match does not explode", arguments: ["(a+)+b", "(a|a)*b", "(a*)*b", "(.*)*(.*)*b"])
    func linear(pattern: String) throws {
        let compiled = try Pattern(pattern)
        #expect(!compiled.matches(String(repeating: "a", count: 1_000)))
        #expect(compiled.matches(String(repeating: "a", count: 1_000) + "b"))
    }

    @Test("what Swift's Regex matches, and nothing else", arguments: 0..<300 as Range<UInt64>)
    func oracle(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let text = Self.pattern(depth: 3, &random)
        let (pattern, oracle) = (try Pattern(text), try Regex(text).matchingSemantics(.unicodeScalar))
        for _ in 0..<30 {
            let subject = String(
                (0..<Int.random(in: 0...5, using: &random)).map { _ in "abc".randomElement(using: &random) ?? "a" })
            #expect(try pattern.matches(subject) == (oracle.wholeMatch(in: subject) != nil), "\(text) on \(subject)")
        }
    }

    private static func pattern(depth: Int, _ random: inout SeededRandom) -> String {
        guard depth > 0 else { return ["a", "b", "[ab]", "[^b]", ".", "c"].randomElement(using: &random) ?? "a" }
        let one = pattern(depth: depth - 1, &random)
        switch Int.random(in: 0..<8, using: &random) {
        case 0: return "(\(one))*"
        case 1: return "(?:\(one))+"
        case 2: return "(\(one))?"
        case 3: return "(?:\(one)){1,2}"
        case 4: return "(\(one)|\(pattern(depth: depth - 1, &random)))"
        default: return one + pattern(depth: depth - 1, &random)
        }
    }
}
