import SegmentFormat
import TestSupport
import Testing

@testable import LogEngine

@Suite("Scans into memory of the caller")
struct ScanInPlaceTests {
    /// Blocks that overlap in time and blocks that do not, of up to 200 KB that do not compress: what is read
    /// ahead ends within them. The events in order of arrival.
    private static func filled(_ scanned: ScannedLog) async throws -> [(bucket: Int, line: String)] {
        var random = SeededRandom(seed: 11)
        var events: [(bucket: Int, line: String)] = []
        for commit in 0..<40 {
            let batch = LineBatch()
            for _ in 0..<Int.random(in: 1...40, using: &random) {
                let bucket = commit / 2 + (commit < 20 ? Int.random(in: 0...3, using: &random) : 0)
                let digits = (0..<Int.random(in: 1...300, using: &random)).map { _ in String(random.next(), radix: 36) }
                events.append((bucket, "\(events.count) \(digits.joined())"))
                Array(events[events.count - 1].line.utf8).withUnsafeBytes { batch.append($0, bucket: .ofTest(bucket)) }
            }
            _ = try await scanned.log.append(batch, delivery: nil)
            if commit == 9 || commit == 25 { try await scanned.log.seal() }
        }
        return events
    }

    /// The text of a scan, and how many of its chunks were in the place.
    private func read(
        _ snapshot: LogSnapshot, _ request: ScanRequest, placeBytes: Int
    ) throws -> (text: String, inPlace: Int, chunks: Int) {
        let scan = try Scan(snapshot, request)
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: placeBytes + 128, alignment: 16)
        defer { memory.deallocate() }
        memory.initializeMemory(as: UInt8.self, repeating: 0x5A)
        let place = UnsafeMutableRawBufferPointer(rebasing: memory[64..<64 + placeBytes])
        var (text, inPlace, chunks) = ("", 0, 0)
        while let chunk = try scan.next(in: place) {
            text += String(decoding: chunk.bytes, as: UTF8.self)
            chunks += 1
            guard chunk.isInPlace, let start = place.baseAddress, let found = chunk.bytes.baseAddress else { continue }
            inPlace += 1
            #expect(found >= start && found + chunk.bytes.count <= start + placeBytes)
        }
        #expect(memory.prefix(64).allSatisfy { $0 == 0x5A } && memory.suffix(64).allSatisfy { $0 == 0x5A })
        return (text, inPlace, chunks)
    }

    @Test("a scan gives the same lines wherever they are decoded to, and uses the place where they fit")
    func places() async throws {
        let scanned = try ScannedLog()
        let events = try await Self.filled(scanned)
        let snapshot = scanned.log.snapshot()
        let arrived = events.map { $0.line + "\n" }.joined()
        let sorted = events.enumerated().sorted { ($0.element.bucket, $0.offset) < ($1.element.bucket, $1.offset) }
        let inOrderOfTime = sorted.map { $0.element.line + "\n" }.joined()
        for (order, expected) in [(ScanRequest.Order.time, inOrderOfTime), (.arrival, arrived)] {
            for placeBytes in [0, 1, 100_000, 300_000, 500_000, 4 << 20] {
                let found = try read(snapshot, ScanRequest(order: order), placeBytes: placeBytes)
                #expect(found.text == expected, "\(order), \(placeBytes) bytes")
                #expect(placeBytes > 1 || found.inPlace == 0)
                #expect(placeBytes < 4 << 20 || found.inPlace == found.chunks && found.chunks > 1)
            }
        }
        try await scanned.log.close()
    }

    @Test("a page that begins within a chunk, or ends there, has only its own lines")
    func pages() async throws {
        let scanned = try ScannedLog()
        let events = try await Self.filled(scanned)
        let snapshot = scanned.log.snapshot()
        for order in ScanRequest.Order.allCases {
            let whole = try read(snapshot, ScanRequest(order: order), placeBytes: 0).text
            let all: [Substring] = whole.split(separator: "\n")
            #expect(all.count == events.count)
            var (request, start) = (ScanRequest(order: order, limit: 97), 0)
            while true {
                let page = try read(snapshot, request, placeBytes: 4 << 20)
                let lines: [Substring] = page.text.split(separator: "\n")
                #expect(lines == Array(all[start..<min(start + 97, all.count)]))
                let scan = try Scan(snapshot, request)
                while try scan.next() != nil {}
                guard let cursor = scan.summary.cursor else { break }
                request.cursor = cursor
                start += 97
            }
            #expect(start + 97 >= all.count && start < all.count)
        }
        try await scanned.log.close()
    }

    @Test("an output grows out of the place, and is in it again once it is cleared and gets one")
    func outgrown() {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 64, alignment: 16)
        defer { memory.deallocate() }
        for room in 1...64 {
            let output = ScanOutput()
            for round in 0..<3 {
                output.clear()
                #expect(!output.isInBorrowed)
                if round != 1 { output.borrow(UnsafeMutableRawBufferPointer(rebasing: memory[..<room])) }
                for number in 0..<6 {
                    output.reserve(7).copyBytes(from: "line \(number)\n".utf8)
                    let run = Run(bucket: .ofTest(1), lines: 1, bytes: 7)
                    output.grow(by: CollectionOfOne(run), .consecutive(from: UInt64(number), count: 1))
                    #expect(output.isInBorrowed == (round != 1 && 7 * (number + 1) <= room))
                }
                #expect(output.told == (0..<6).map { "#\($0) line \($0)" })
            }
        }
    }
}
