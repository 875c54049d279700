import SegmentFormat
import Testing

@testable import LogEngine

@Suite("The text of a cursor")
struct CursorTextTests {
    private static let words: [UInt64] = [0, 1, 0xAB, .max, 0x0123_4567_89AB_CDEF]

    @Test("words are 16 lower-case digits each, and their check follows them")
    func shape() {
        let text = CursorText.text(of: Self.words)
        let digits = "00000000000000000000000000000001" + "00000000000000abffffffffffffffff" + "0123456789abcdef"
        #expect(text == digits + Self.words.withUnsafeBytes { xxh3($0) }.hex)
    }

    @Test("any number of words comes back from its text, and from no other number's")
    func roundTrip() {
        for count in 0...Self.words.count {
            let words = Array(Self.words[..<count])
            let text = CursorText.text(of: words)
            #expect(CursorText.words(of: text, count: count) == words)
            #expect(CursorText.words(of: text, count: count + 1) == nil)
            if count > 0 { #expect(CursorText.words(of: text, count: count - 1) == nil) }
        }
    }

    @Test("a text with one character changed is none")
    func changes() {
        let text = Array(CursorText.text(of: Self.words).utf8)
        for place in text.indices {
            for byte in "0fAF+- gé".utf8 where byte != text[place] {
                var changed = text
                changed[place] = byte
                #expect(CursorText.words(of: String(decoding: changed, as: UTF8.self), count: 5) == nil)
            }
        }
    }

    @Test("a text that is cut, or has something before or behind it, is none")
    func lengths() {
        let text = CursorText.text(of: Self.words)
        for length in 0..<text.count { #expect(CursorText.words(of: text.prefix(length), count: 5) == nil) }
        for other in [text + "0", " " + text, "0" + text.dropLast(), text.uppercased()] {
            #expect(CursorText.words(of: other, count: 5) == nil)
        }
    }

    @Test("cursors keep the texts that they have had")
    func golden() throws {
        let scan =
            "0000000000000001" + "00000000000000aa" + "0000000000000000" + "0000000000000007" + "0000000000000009"
            + "0000000000000258" + "0000000000000002" + "313fd57287eabbdb"
        let cursor = try #require(ScanCursor(text: scan))
        #expect(cursor.order == .arrival && cursor.query == 0xAA && cursor.position.sequence == Sequence(7))
        #expect(cursor.pin == Sequence(9) && cursor.horizon == Bucket(milliseconds: 600) && cursor.eraseCount == 2)
        #expect(cursor.text == scan)
        let key =
            "00000000000000aa" + "0000000000000258" + "0000000000000003" + "0000000000000004" + "0000000000000001"
            + "973ab0617fcd5636"
        #expect(KeyCursor(text: key)?.text == key)
    }

    @Test("an order that there is not makes no cursor")
    func unknownOrder() {
        #expect(ScanCursor(text: CursorText.text(of: [2, 0, 0, 0, 0, 0, 0])) == nil)
        #expect(ScanCursor(text: CursorText.text(of: [1, 0, 0, 0, 0, 0, 0])) != nil)
    }
}
