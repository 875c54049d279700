import Testing

@testable import WebAPI

@Suite("Sessions that are signed, not kept")
struct SessionKeysTests {
    private static let day: UInt64 = 86_400_000
    private static let now: UInt64 = 20_000 * day + day / 2
    private static let session = Session(id: (0..<16).map { $0 })

    private static func keys(_ secrets: UInt8...) throws -> SessionKeys {
        try #require(SessionKeys(secrets: secrets.map { [UInt8](repeating: $0, count: 32) }))
    }

    private static func known(_ session: Session, _ keys: SessionKeys) throws -> KnownSession {
        try #require(keys.session(ofCookie: keys.cookie(of: session, now: now), now: now))
    }

    private static let lives: [(later: Int64, isKnown: Bool)] = [
        (0, true), (43_199_999, true), (86_400_000, true), (129_599_999, true), (129_600_000, false),
        (-86_400_000, true), (-129_600_001, false),
    ]

    @Test(
        "cookie and token are known on the day of their making and on the next, by a clock behind, too",
        arguments: lives)
    func life(later: Int64, isKnown: Bool) throws {
        let keys = try Self.keys(1)
        let cookie = keys.cookie(of: Self.session, now: Self.now)
        let token = keys.token(of: Self.session, now: Self.now)
        let then = UInt64(Int64(Self.now) + later)
        let known = keys.session(ofCookie: cookie, now: then)
        #expect(known?.session == (isKnown ? Self.session : nil))
        // Another page has got a newer cookie.
        let renewed = try #require(keys.session(ofCookie: keys.cookie(of: Self.session, now: then), now: then))
        for its in [known, renewed].compactMap({ $0 }) {
            #expect(keys.isToken(token.utf8, of: its, now: then) == isKnown)
        }
    }

    @Test("nothing that was changed anywhere is known")
    func forgery() throws {
        let keys = try Self.keys(1)
        let cookie = Array(keys.cookie(of: Self.session, now: Self.now).utf8)
        let known = try Self.known(Self.session, keys)
        let token = Array(keys.token(of: Self.session, now: Self.now).utf8)
        for index in cookie.indices {
            var forged = cookie
            forged[index] = forged[index] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            #expect(keys.session(ofCookie: String(decoding: forged, as: UTF8.self), now: Self.now) == nil)
        }
        for index in token.indices {
            var forged = token
            forged[index] = forged[index] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            #expect(!keys.isToken(forged, of: known, now: Self.now))
        }
        for count in 0..<cookie.count {
            #expect(keys.session(ofCookie: String(decoding: cookie[..<count], as: UTF8.self), now: Self.now) == nil)
        }
        for text in ["", "A", "=", "é", String(repeating: "A", count: 22)] {
            #expect(!keys.isToken(text.utf8, of: known, now: Self.now))
        }
    }

    @Test("a token is one session's, and no cookie")
    func bound() throws {
        let keys = try Self.keys(1)
        let other = Session(id: (1..<17).map { $0 })
        #expect(
            !keys.isToken(
                keys.token(of: other, now: Self.now).utf8, of: try Self.known(Self.session, keys), now: Self.now))
        #expect(keys.token(of: other, now: Self.now) != keys.token(of: Self.session, now: Self.now))
        #expect(keys.session(ofCookie: keys.token(of: Self.session, now: Self.now), now: Self.now) == nil)
    }

    @Test("a secret that was replaced is known still, and a strange one is not")
    func rotation() throws {
        let old = try Self.keys(1)
        let new = try Self.keys(2, 1)
        let strange = try Self.keys(2)
        let cookie = old.cookie(of: Self.session, now: Self.now)
        let known = try #require(new.session(ofCookie: cookie, now: Self.now))
        #expect(known.session == Self.session)
        #expect(new.isToken(old.token(of: Self.session, now: Self.now).utf8, of: known, now: Self.now))
        #expect(new.isToken(new.token(of: Self.session, now: Self.now).utf8, of: known, now: Self.now))
        #expect(strange.session(ofCookie: cookie, now: Self.now) == nil)
        #expect(old.session(ofCookie: new.cookie(of: Self.session, now: Self.now), now: Self.now) == nil)
        #expect(SessionKeys(secrets: []) == nil)
        #expect(SessionKeys(secrets: [[UInt8](repeating: 1, count: 31)]) == nil)
    }

    @Test("base64url comes back, and what it did not make does not")
    func base64() {
        for count in 0..<40 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 83 &+ count) }
            #expect(Base64URL.decode(Base64URL.encode(bytes).utf8) == bytes)
        }
        #expect(Base64URL.encode([0xFB, 0xFF, 0xFE]) == "-__-")
        for text in ["A", "AB", "AAB", "A+AA", "AA==", "AA A"] { #expect(Base64URL.decode(text.utf8) == nil) }
    }
}
