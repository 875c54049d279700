import TestSupport
import Testing

@testable import LogEngine
@testable import SegmentFormat

/// What the frames of a scan decode to.
func readFrames(
    _ snapshot: LogSnapshot, _ request: ScanRequest
) throws -> (text: String, chunks: [FrameChunk], summary: ScanSummary) {
    let scan = try FrameScan(snapshot, request)
    var chunks: [FrameChunk] = []
    var text = ""
    while let chunk = try scan.next() {
        let lines = try chunk.frames.flatMap { try decoded($0) }
        #expect(lines.count { $0 == 0x0A } == chunk.lines && chunk.lines > 0)
        chunks.append(chunk)
        text += String(decoding: lines, as: UTF8.self)
    }
    #expect(scan.summary.lines == chunks.reduce(0) { $0 + $1.lines })
    return (text, chunks, scan.summary)
}

/// What one LZ4 frame holds; its checksums are checked.
private func decoded(_ frame: [UInt8]) throws(FormatFault) -> [UInt8] {
    let count = frame.withUnsafeBytes { Int($0.loadUnaligned(fromByteOffset: 6, as: UInt64.self)) }
    var output = [UInt8](repeating: 0, count: count)
    let result: Result<Void, FormatFault> = output.withUnsafeMutableBytes { output in
        Result { () throws(FormatFault) in
            try frame.decoded { (bytes) throws(FormatFault) in try LZ4Frame.verify(bytes, at: 0, into: output) }
        }
    }
    try result.get()
    return output
}

extension FrameChunk {
    /// Its frames, one by one.
    var frames: [[UInt8]] {
        var frames: [[UInt8]] = []
        var start = 0
        while start < bytes.count {
            var end = start + LZ4Frame.headerBytes
            while let word = word(at: end), word != 0 { end += 4 + Int(word & ~LZ4Frame.uncompressedBit) }
            end = Swift.min(end + 8, bytes.count)
            frames.append(Array(bytes[start..<end]))
            start = end
        }
        return frames
    }

    private func word(at index: Int) -> UInt32? {
        guard index + 4 <= bytes.count else { return nil }
        return bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: index, as: UInt32.self) }
    }
}

extension [ReferenceLog.Entry] {
    /// As NDJSON.
    var text: String { map { $0.event.line + "\n" }.joined() }
}
