import TestSupport
import Testing

@testable import LogEngine
@testable import SegmentFormat

/// What the frames of a scan decode to.
func readFrames(
    _ snapshot: LogSnapshot, _ request: ScanRequest, _ codec: Codec = .lz4
) throws -> (text: String, chunks: [FrameChunk], summary: ScanSummary) {
    let scan = try FrameScan(snapshot, request, codec: codec)
    var chunks: [FrameChunk] = []
    var text = ""
    while let chunk = try scan.next() {
        let frames = codec == .lz4 ? chunk.frames : chunk.zstandardFrames
        let lines = try frames.flatMap { try codec == .lz4 ? decoded($0) : decodedZstandard($0) }
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

/// What one Zstandard frame holds; its checksum is checked.
private func decodedZstandard(_ frame: [UInt8]) throws(FormatFault) -> [UInt8] {
    var output = [UInt8](repeating: 0, count: zstandardHeader(frame[...]).rawLength)
    let result: Result<Void, FormatFault> = output.withUnsafeMutableBytes { output in
        Result { () throws(FormatFault) in
            try frame.decoded { (bytes) throws(FormatFault) in
                try ZstdFrame.check(bytes, at: 0, rawLength: output.count)
                try ZstdFrame.decode(bytes, at: 0, rawLength: output.count, range: 0..<output.count, into: output)
            }
        }
    }
    try result.get()
    return output
}

/// The length of the header of a frame of a single segment, and that of the content.
private func zstandardHeader(_ frame: ArraySlice<UInt8>) -> (length: Int, rawLength: Int) {
    let bytes = Array(frame.dropFirst(5).prefix(4))
    func number(_ count: Int) -> Int { bytes.prefix(count).reversed().reduce(0) { $0 << 8 | Int($1) } }
    switch frame[frame.startIndex + 4] >> 6 {
    case 0: return (6, number(1))
    case 1: return (7, 256 + number(2))
    default: return (9, number(4))
    }
}

extension FrameChunk {
    /// Its frames, one by one, where they are Zstandard.
    var zstandardFrames: [[UInt8]] {
        var frames: [[UInt8]] = []
        var start = 0
        while start < bytes.count {
            var end = start + zstandardHeader(bytes[start...]).length
            var isLast = false
            while !isLast, end + 3 <= bytes.count {
                let header = Int(bytes[end]) | Int(bytes[end + 1]) << 8 | Int(bytes[end + 2]) << 16
                isLast = header & 1 == 1
                end += 3 + (header >> 1 & 3 == 1 ? 1 : header >> 3)
            }
            end = Swift.min(end + 4, bytes.count)
            frames.append(Array(bytes[start..<end]))
            start = end
        }
        return frames
    }

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
