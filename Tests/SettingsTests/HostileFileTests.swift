import TestSupport
import Testing

@testable import Settings

/// Files that are no configuration, or would cost more than one.
@Suite("hostile files")
struct HostileFileTests {
    private static func faults(_ bytes: [UInt8]) -> [String] {
        do {
            _ = try YAMLFile.tree(bytes, file: "F")
            return []
        } catch {
            return error.faults.map(\.description)
        }
    }

    private static let refusal = "anchors and aliases (&name, *name) are not allowed; write the value out"

    @Test(
        "what is no YAML is told with its place",
        arguments: [
            ("a: [1\nb: 2\n", "F:2:2: no YAML: while parsing a flow sequence: did not find expected ',' or ']'"),
            ("a: 1\n  b: 2\n", "F:2:4: no YAML: mapping values are not allowed in this context"),
            ("a: \"x\n", "F:2:1: no YAML: while scanning a quoted scalar: found unexpected end of stream"),
            (
                "\ta: 1\n",
                "F:1:1: no YAML: while scanning for the next token: found character that cannot start any token"
            ),
            (
                "a: 1\n---\nb: 1\n",
                "F:2:1: no YAML: expected a single document in the stream: but found another document"
            ),
            ("a: *b\n", "F:1:4: no YAML: found undefined alias"),
            ("a: 1\nb: 2\na: 3\n", "F:1:1: 'a': more than once in one mapping"),
            ("x:\n- {a: 1, b: 2, 'b': 3, \"a\": 4}\n", "F:2:4: 'a', 'b': more than once in one mapping"),
            ("a: &b 1\n", "F:1:4: \(refusal)"),
            ("a: !!int 1\n", "F:1:4: tags (!name) are not allowed"),
            ("a: !secret 1\n", "F:1:4: tags (!name) are not allowed"),
            ("a: !!seq 1\n", "F:1:4: tags (!name) are not allowed"),
            ("a: 1\n!!map a: 2\n", "F:2:1: tags (!name) are not allowed"),
            ("? [a]\n: 1\n", "F:1:3: the name of a setting is a list"),
            ("a: \u{1}\n", "F:1:4: no YAML: control characters are not allowed"),
        ])
    func syntax(text: String, fault: String) {
        #expect(Self.faults(Array(text.utf8)) == [fault])
    }

    @Test("bytes that are no UTF-8 are told with their place")
    func encoding() {
        #expect(Self.faults(Array("é: 1\nab".utf8) + [0xC3, 0x28]) == ["F:2:3: this is no UTF-8"])
        #expect(Self.faults([0xEF, 0xBB, 0xBF] + Array("a: 1\n".utf8)).isEmpty)
    }

    @Test("of a file of more than 1 MiB nothing is read")
    func size() {
        let comment = [UInt8](repeating: UInt8(ascii: "#"), count: (1 << 20))
        #expect(Self.faults(comment).isEmpty)
        #expect(Self.faults(comment + [10]) == ["F:1:1: the file has more than 1048576 bytes"])
    }

    @Test("depth is bounded", arguments: [15, 16, 17, 900, 100_000])
    func depth(_ depth: Int) {
        let text = "a: " + String(repeating: "[", count: depth) + String(repeating: "]", count: depth) + "\n"
        let faults = Self.faults(Array(text.utf8))
        switch depth {
        case 15: #expect(faults.isEmpty)
        case 16, 17, 900: #expect(faults == ["F:1:19: mappings and lists are nested deeper than 16"])
        default: #expect(faults.count == 1 && faults.first?.contains("nesting") == true, "\(faults)")
        }
    }

    @Test("anchors are refused before anything follows them, all of them at once")
    func anchors() {
        let text = "a: &a [x]\nb: &b {c: *a}\n"
        #expect(Self.faults(Array(text.utf8)) == ["F:1:4: \(Self.refusal)", "F:2:4: \(Self.refusal)"])
    }

    @Test("aliases that would unfold to 2^60 values are refused at once", arguments: ["z: *a60\n", "? *a60\n: 1\n"])
    func bomb(end: String) {
        let levels = (1...60).map { "a\($0): &a\($0) [*a\($0 - 1), *a\($0 - 1)]\n" }
        #expect(Self.faults(Array(("a0: &a0 x\n" + levels.joined() + end).utf8)) == ["F:10:10: \(Self.refusal)"])
        // As many as are not refused before they are parsed, in a key, of which the parser makes a hash.
        let short = "a0: &a0 x\n" + levels.prefix(7).joined() + "? *a7\n: 1\n"
        #expect(Self.faults(Array(short.utf8)).allSatisfy { $0.hasSuffix(Self.refusal) })
    }

    @Test("a star that begins no alias is none")
    func stars() {
        let text = "# * a\na: '.*'\nb: a*b\nc: 2 * 3\n" + String(repeating: "# /*a*/ \n", count: 99)
        #expect(Self.faults(Array(text.utf8)).isEmpty)
    }

    @Test("every prefix and every changed byte of a file has an outcome")
    func mangled() throws {
        let text = Array("a: {b: ['c', \"d\"], e: |\n  f\n}\ng: 1 # h\n? i\n: &j *k\n".utf8)
        for end in 0...text.count { _ = Self.faults(Array(text[..<end])) }
        var random = SeededRandom(seed: 5)
        for _ in 0..<5_000 {
            var bytes = text
            bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
            #expect(Self.faults(bytes).count <= 20)
        }
    }
}
