import SegmentFormat

/// What may go (SPEC U2).
enum Retention {
    /// The bucket before which lines may go where those before `wanted` should: holds stop it at the first
    /// bucket of the earliest of them, and so does what is not in the checkpoints of a view yet, from `unheld` on.
    static func disposable(before wanted: Bucket, holds: [Hold], unheld: Bucket = .latest) -> Bucket {
        holds.reduce(min(wanted, unheld)) { min($0, $1.from) }
    }
}
