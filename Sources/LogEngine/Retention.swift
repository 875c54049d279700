import SegmentFormat

/// What may go (SPEC U2).
enum Retention {
    /// The bucket before which lines may go where those before `wanted` should: holds stop it at the first
    /// bucket of the earliest of them.
    static func disposable(before wanted: Bucket, holds: [Hold]) -> Bucket {
        holds.reduce(wanted) { min($0, $1.from) }
    }
}
