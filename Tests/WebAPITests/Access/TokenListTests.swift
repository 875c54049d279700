import TestSupport
import Testing

@testable import WebAPI

@Suite("token lists (AC6)")
struct TokenListTests {
    private static func token(
        _ name: String, id: String = "0123abcd", byte: UInt8 = 1, scopes: Set<TokenScope> = [.read],
        streams: Set<String>? = nil, expires: UInt64? = nil
    ) throws -> Token {
        let hash = try #require(TokenHash(bytes: [UInt8](repeating: byte, count: 32)))
        return Token(
            id: id, name: name, hash: hash, scopes: scopes, streams: streams, created: 600_000, expires: expires)
    }

    @Test("a file is what it was written from, and looks like this")
    func file() throws {
        var list = TokenList()
        try list.add(Self.token("ci@site", scopes: [.admin, .ingest], streams: ["logins", "interactions"]))
        try list.add(Self.token("reader", id: "fedcba98", byte: 0xA0, expires: 1_200_000))
        let (one, two) = (String(repeating: "01", count: 32), String(repeating: "a0", count: 32))
        #expect(
            list.text == """
                daybook tokens 1
                0123abcd \(one) ingest,admin interactions,logins 600000 never ci@site
                fedcba98 \(two) read * 600000 1200000 reader

                """)
        #expect(try TokenList(text: list.text) == list)
        #expect(try TokenList(text: "daybook tokens 1\n") == TokenList())
    }

    @Test(
        "a damaged file is refused by line",
        arguments: [
            ("", 1), ("daybook tokens 2\n", 1), ("daybook tokens 1", 1), ("daybook tokens 1\n\n", 2),
            ("daybook tokens 1\nx\n", 2), ("daybook tokens 1\nLINE", 2), ("daybook tokens 1\nLINE\nLINE\n", 3),
            ("daybook tokens 1\nLINE \n", 2),
        ])
    func damaged(text: String, line: Int) throws {
        let good = try TokenList([Self.token("a")]).text.split(separator: "\n")[1]
        #expect { try TokenList(text: text.replacing("LINE", with: good)) } throws: {
            ($0 as? TokenList.Fault)?.line == line
        }
    }

    @Test(
        "each part of a line is checked",
        arguments: [
            (0, "0123ABCD"), (0, "0123abc"), (1, "01"), (1, String(repeating: "0G", count: 32)), (2, "write"), (2, ""),
            (2, "read,"), (3, ""), (4, "-1"), (4, "x"), (5, "soon"), (6, "a/b"), (6, ""),
            (6, String(repeating: "a", count: 65)),
        ])
    func parts(index: Int, value: String) throws {
        var parts = try TokenList([Self.token("a")]).text.split(separator: "\n")[1].split(separator: " ").map(
            String.init)
        parts[index] = value
        #expect(throws: TokenList.Fault(line: 2, reason: "this is no token")) {
            try TokenList(text: "daybook tokens 1\n\(parts.joined(separator: " "))\n")
        }
    }

    @Test("a name comes once, and a list is not longer than its bound")
    func bounds() throws {
        var list = TokenList([try Self.token("a")])
        #expect(throws: TokenList.Refusal.nameTaken) { try list.add(Self.token("a", id: "00000000")) }
        #expect(throws: TokenList.Refusal.nameTaken) { try list.add(Self.token("b")) }
        var full = TokenList([Token](repeating: try Self.token("a"), count: TokenList.most))
        #expect(throws: TokenList.Refusal.full) { try full.add(Self.token("b")) }
    }

    @Test("a token is removed by its id or its name, found by its hash alone")
    func removal() throws {
        var list = TokenList([try Self.token("a"), try Self.token("b", id: "00000001", byte: 2)])
        let (first, second) = (list.all[0], list.all[1])
        #expect(list.token(of: first.hash) == first)
        #expect(list.token(of: second.hash) == second)
        #expect(list.token(of: try Self.token("c", byte: 3).hash) == nil)
        #expect(list.remove("x") == nil)
        #expect(list.remove("00000001") == second)
        #expect(list.token(of: second.hash) == nil)
        #expect(list.remove("a") == first)
        #expect(list.all.isEmpty && list.token(of: first.hash) == nil)
    }

    @Test("hashes differ in every bit that differs", arguments: 0..<256)
    func hashes(bit: Int) throws {
        let bytes = (0..<32).map { UInt8($0) }
        var other = bytes
        other[bit / 8] ^= 1 << (bit % 8)
        let (a, b) = (try #require(TokenHash(bytes: bytes)), try #require(TokenHash(bytes: other)))
        #expect(a != b && a.mask(ofEqual: b) == 0)
        #expect(a.mask(ofEqual: a) == .max)
        #expect(TokenHash(hexadecimal: a.hexadecimal) == a)
    }
}
