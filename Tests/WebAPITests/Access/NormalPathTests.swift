import TestSupport
import Testing

@testable import WebAPI

@Suite("normal paths (AC1)")
struct NormalPathTests {
    @Test(
        "spellings of one path are one path",
        arguments: [
            ("/", "/"), ("//", "/"), ("/.", "/"), ("/a", "/a"), ("/a/", "/a"), ("/a//b", "/a/b"), ("///a", "/a"),
            ("/a/./b", "/a/b"), ("/a/../b", "/b"), ("/a/b/..", "/a"), ("/a/b/.", "/a/b"), ("/a/..", "/"),
            ("/%61", "/a"), ("/a/%2e%2E/b", "/b"), ("/a/.%2e/b", "/b"), ("/a/%2e/b", "/a/b"), ("/%7E", "/~"),
            ("/.a", "/.a"), ("/a./b", "/a./b"), ("/...", "/..."), ("/..a", "/..a"), ("/a.json", "/a.json"),
            ("/%252e%252e/a", "/%2e%2e/a"), ("/a%20b", "/a b"), ("/a%3bb", "/a;b"), ("/a%3Fb", "/a?b"), ("/A", "/A"),
        ])
    func normal(raw: String, text: String) throws {
        #expect(try NormalPath(raw).text == text)
    }

    @Test(
        "what has no safe reading is refused",
        arguments: [
            ("", .notAbsolute), ("*", .notAbsolute), ("a/b", .notAbsolute), ("%2fa", .notAbsolute),
            ("/%", .badEscape), ("/%2", .badEscape), ("/%zz", .badEscape), ("/%+1", .badEscape), ("/a%2/b", .badEscape),
            ("/a%2fb", .escapedSlash), ("/..%2Fb", .escapedSlash), ("/a%00", .forbiddenByte),
            ("/a%0a", .forbiddenByte), ("/a\\b", .forbiddenByte), ("/a%5c..%5Cb", .forbiddenByte),
            ("/é", .forbiddenByte), ("/%C3%A9", .forbiddenByte), ("/%c0%af", .forbiddenByte),
            ("/%E2%84%AA", .forbiddenByte), ("/%7f", .forbiddenByte), ("/a;b=1", .parameters),
            ("/a/..;/b", .parameters), ("/a#b", .parameters), ("/..", .aboveRoot), ("/a/../..", .aboveRoot),
            ("/%2e%2e/a", .aboveRoot), ("/a/../../a", .aboveRoot),
            ("/" + String(repeating: "a", count: NormalPath.longest), .tooLong),
        ] as [(String, NormalPath.Fault)])
    func refused(raw: String, fault: NormalPath.Fault) {
        #expect(throws: fault) { try NormalPath(raw) }
    }

    @Test("a path with any number of detours is the path that it leads to", arguments: 0..<200 as Range<UInt64>)
    func detours(seed: UInt64) throws {
        var tricks = PathTricks(seed: seed)
        for path in ["/wsapi/interaction_data/count", "/livez", "/a.b/c-d/e_f"] {
            let spelling = tricks.spelling(of: path)
            #expect(try NormalPath(spelling).text == path, "\(spelling)")
        }
    }

    @Test("whatever is sent, what comes out has nothing left to normalise", arguments: 0..<500 as Range<UInt64>)
    func normalForm(seed: UInt64) {
        var tricks = PathTricks(seed: seed)
        guard let path = try? NormalPath(tricks.noise()) else { return }
        #expect(path.text.hasPrefix("/") && path.text.utf8.allSatisfy { (0x20...0x7E).contains($0) })
        let segments = path.text.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        #expect(path.text == "/" || !segments.contains { ["", ".", ".."].contains($0) }, "\(path.text)")
    }
}

/// Ways to spell a path, good ones and bad ones.
struct PathTricks {
    private var random: SeededRandom

    init(seed: UInt64) { random = SeededRandom(seed: seed) }

    /// Leads to `path`.
    mutating func spelling(of path: String) -> String {
        path.split(separator: "/").map { "\(slashes())\(detour())\(escaped($0))" }.joined() + (coin() ? "" : slashes())
    }

    /// Leads anywhere or nowhere.
    mutating func noise() -> String {
        let pieces = [
            "/", "/", "/", ".", "..", "%2e", "%2E", "%2f", "%5c", "\\", "%00", "%", "%2", ";", ";x=1", "wsapi", "ping",
            "interaction_data", "%70ing", "a", "%25", "%252e", "?", "é", "%C0%AE", "%E2%84%AA", "~", "%20", "PING", "*",
        ]
        return (coin() ? "" : "/")
            + (0..<Int.random(in: 1...10, using: &random)).map { _ in
                pieces.randomElement(using: &random) ?? ""
            }.joined()
    }

    /// `path` with something thrown in.
    mutating func attack(on path: String) -> String {
        var text = Array(coin() ? path : spelling(of: path))
        for _ in 0..<Int.random(in: 0...3, using: &random) {
            text.insert(contentsOf: noise(), at: Int.random(in: 0...text.count, using: &random))
        }
        return String(text)
    }

    private mutating func coin() -> Bool { random.oneIn(2) }

    private mutating func slashes() -> String { String(repeating: "/", count: random.oneIn(3) ? 2 : 1) }

    private mutating func detour() -> String {
        switch Int.random(in: 0..<6, using: &random) {
        case 0: "./"
        case 1: "%2e/"
        case 2: "x/../"
        case 3: "x/y/.%2E//%2e%2e/"
        default: ""
        }
    }

    private mutating func escaped(_ segment: Substring) -> String {
        segment.utf8.map { byte in
            guard random.oneIn(4) else { return String(decoding: [byte], as: UTF8.self) }
            let digits = String(byte, radix: 16)
            return "%" + (coin() ? digits : digits.uppercased())
        }.joined()
    }
}
