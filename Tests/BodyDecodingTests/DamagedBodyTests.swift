import BodyDecoding
import TestSupport
import Testing

/// Bodies that were cut, flipped, joined or made up: decoded within the limits or refused, and the same
/// however they come in.
@Suite("damaged coded bodies")
struct DamagedBodyTests {
    private static let rounds = 500

    @Test("each is refused or decoded alike, whole and in pieces", arguments: BodyCoding.allCases)
    func damaged(coding: BodyCoding) {
        for seed in 0..<Self.rounds {
            var random = SeededRandom(seed: UInt64(seed))
            let body = Self.body(coding, &random)
            let whole = Self.outcome(body, coding, pieceBytes: 1 << 30, roomBytes: 1 << 16)
            let cut = Self.outcome(
                body, coding, pieceBytes: Int.random(in: 1...200, using: &random),
                roomBytes: Int.random(in: 100...5_000, using: &random))
            // The pieces decide whether a limit is passed before a fault is met, and whether the ratio is at all.
            switch (whole, cut) {
            case (.refused(.ratio), _), (_, .refused(.ratio)): break
            case (.refused(.tooLarge), .refused), (.refused, .refused(.tooLarge)): break
            default: #expect(whole == cut, "seed \(seed)")
            }
        }
    }

    private enum Outcome: Equatable {
        case decoded([UInt8])
        case refused(DecodingFault.Kind)
    }

    private static let limits = DecodingLimits(bytes: 60_000, ratio: 50, floor: 20_000)

    private static func outcome(_ body: [UInt8], _ coding: BodyCoding, pieceBytes: Int, roomBytes: Int) -> Outcome {
        do throws(DecodingFault) {
            let decoded = try BodyDecoder.decode(
                body, coding, limits: limits, pieceBytes: pieceBytes, roomBytes: roomBytes)
            #expect(decoded.count <= limits.bytes)
            return .decoded(decoded)
        } catch {
            #expect(error.offset <= body.count)
            return .refused(error.kind)
        }
    }

    private static func body(_ coding: BodyCoding, _ random: inout SeededRandom) -> [UInt8] {
        var body: [UInt8] = []
        for _ in 0...Int.random(in: 0..<3, using: &random) { body += frame(coding, &random) }
        for _ in 0..<Int.random(in: 0..<4, using: &random) where !body.isEmpty {
            let place = Int.random(in: 0..<body.count, using: &random)
            switch Int.random(in: 0..<5, using: &random) {
            case 0: body[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 1: body[place] = UInt8.random(in: 0...255, using: &random)
            case 2: body.removeSubrange(place...)
            case 3: body.removeSubrange(place..<min(place + 7, body.count))
            default: body.insert(contentsOf: body[place..<min(place + 11, body.count)], at: place)
            }
        }
        return body
    }

    /// From one that shrinks to nothing to one that does not shrink.
    private static let texts: [[UInt8]] = [1, 2, 8, 64, 256].map { (letters: UInt64) in
        var random = SeededRandom(seed: letters)
        return (0..<70_000).map { _ in UInt8(truncatingIfNeeded: random.next() % letters) }
    }

    private static func frame(_ coding: BodyCoding, _ random: inout SeededRandom) -> [UInt8] {
        let text = texts[Int.random(in: 0..<texts.count, using: &random)]
        let count = random.oneIn(20) ? text.count : Int.random(in: 0..<3_000, using: &random)
        let start = Int.random(in: 0...text.count - count, using: &random)
        let raw = Array(text[start..<start + count])
        guard coding == .lz4, let form = Encoder.LZ4Form.allCases.randomElement(using: &random) else {
            return Encoder.encode(raw, coding)
        }
        return Encoder.lz4(raw, form)
    }
}
