import SegmentFormat
import Testing

@testable import Interactions

/// What becomes of the data of a post.
struct TakenBlobs {
    let lines: [String]
    let buckets: [UInt64]
    let changes: [BlobChange: Int]

    /// 2026-11-20T10:07:03.500Z.
    static let now: UInt64 = 1_795_169_223_500
    static let nowFloored: UInt64 = 1_795_168_800_000

    init(
        _ data: String, agent: String? = nil, sample: SessionSample = .all, unknown: UnknownFields = .pass,
        resolution: Resolution = .tenMinutes
    ) throws(BlobFault) {
        let batch = LineBatch()
        let intake = BlobIntake(resolution: resolution, unknownFields: unknown)
        let context = BlobContext(now: Self.now, userAgent: agent, sample: sample)
        let bytes = Array(data.utf8)
        let result = bytes.withUnsafeBytes { bytes in
            Result { () throws(BlobFault) in try intake.append(bytes, context, to: batch) }
        }
        changes = try result.get()
        var lines: [String] = []
        batch.bytes.forEachLine { lines.append(String(decoding: $0, as: UTF8.self)) }
        self.lines = lines
        buckets = lines.isEmpty ? [] : [batch.earliest.milliseconds, batch.latest.milliseconds]
    }
}

/// The fault of data that must be refused.
func blobFault(of data: String, unknown: UnknownFields = .pass) -> BlobFault? {
    do throws(BlobFault) {
        _ = try TakenBlobs(data, unknown: unknown)
        return nil
    } catch {
        return error
    }
}
