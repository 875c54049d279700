import SegmentFormat

/// What may go (SPEC U2).
enum Retention {
    static func disposable(before wanted: Bucket, holds: [Hold]) -> Bucket {
        holds.map(\.from).min().map { min($0, wanted) } ?? wanted
    }
}
