import SegmentFormat

/// The text of a cursor: words that its holder makes nothing of and gives back, and behind them their XXH3; of each
/// 16 lower-case hex digits. The check finds slips of the hand, not forgers.
enum CursorText {
    private static let digits = 16

    static func text(of words: [UInt64]) -> String {
        let check = words.withUnsafeBytes { xxh3($0) }
        return (words + [check]).map(\.hex).joined()
    }

    /// `nil` for anything that `text(of:)` does not make of so many words.
    static func words(of text: some StringProtocol, count: Int) -> [UInt64]? {
        let bytes = Array(text.utf8)
        guard bytes.count == (count + 1) * digits else { return nil }
        let words = stride(from: 0, to: count * digits, by: digits).compactMap { start in
            UInt64(hex: String(decoding: bytes[start..<start + digits], as: UTF8.self))
        }
        return words.count == count && self.text(of: words).utf8.elementsEqual(bytes) ? words : nil
    }
}
