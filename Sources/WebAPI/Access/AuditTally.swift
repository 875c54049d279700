/// What `audit` keeps of an access: who, and what for.
struct AuditedAccess: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        /// `events`, `event`, `count`, `last` or `changes`.
        case read(String)
        /// The reason.
        case refusal(String)
    }

    var kind: Kind
    /// `nil`: nobody knows.
    var who: String?
    /// Buckets; `nil` for an open end.
    var from: UInt64?
    var to: UInt64?
    /// A keyed hash of what a read is about, where that is not a range.
    var subject: String?

    /// What stands in the record in place of what is not told apart any more.
    static let others = "*"

    fileprivate var withoutRange: AuditedAccess { AuditedAccess(kind: kind, who: who) }

    fileprivate var anybody: AuditedAccess {
        switch kind {
        case .read: AuditedAccess(kind: .read(Self.others), who: Self.others)
        case .refusal: AuditedAccess(kind: .refusal(Self.others), who: Self.others)
        }
    }
}

/// Accesses of one kind within one bucket of time.
struct AuditRecord: Equatable, Sendable {
    var access: AuditedAccess
    var bucket: UInt64
    var times: UInt64
    var events: UInt64
}

/// Adds accesses up, so that nobody can fill a disk with records of what he asks for: one record for the first of a
/// kind, one more for the rest of its bucket, and a bounded number of kinds.
struct AuditTally {
    /// Kinds of a bucket that are told apart with their range or subject, and then without.
    static let most = 1_000

    private struct Key: Hashable {
        let bucket: UInt64
        let access: AuditedAccess
    }

    private struct Sum {
        var times: UInt64 = 0
        var events: UInt64 = 0
        var isTold = false
        var isEmpty: Bool { times == 0 && events == 0 }
    }

    private var sums: [Key: Sum] = [:]
    private var bucket: UInt64 = 0
    /// Of that bucket.
    private var kinds = 0

    /// - Parameter bucket: of the time of the access. It goes back where a clock is set back.
    mutating func add(_ access: AuditedAccess, times: UInt64, events: UInt64, in bucket: UInt64) {
        guard times > 0 || events > 0 else { return }
        if bucket != self.bucket { (self.bucket, kinds) = (bucket, sums.keys.count { $0.bucket == bucket }) }
        let key = key(for: access)
        if sums[key] == nil { kinds += 1 }
        sums[key, default: Sum()].times += times
        sums[key, default: Sum()].events += events
    }

    private func key(for access: AuditedAccess) -> Key {
        let keys = [access, access.withoutRange].map { Key(bucket: bucket, access: $0) }
        if sums[keys[0]] != nil || kinds < Self.most { return keys[0] }
        if sums[keys[1]] != nil || kinds < 2 * Self.most { return keys[1] }
        return Key(bucket: bucket, access: access.anybody)
    }

    /// Takes out what is to be recorded now: what was not told yet, and the rest of buckets that are over.
    ///
    /// - Parameter bucket: of now; `nil` at the end, when all is told.
    mutating func take(at bucket: UInt64?) -> [AuditRecord] {
        var records: [AuditRecord] = []
        for (key, sum) in sums {
            let isOver = key.bucket != bucket
            guard isOver || !sum.isTold else { continue }
            if !sum.isEmpty {
                records.append(
                    AuditRecord(access: key.access, bucket: key.bucket, times: sum.times, events: sum.events))
            }
            sums[key] = isOver ? nil : Sum(isTold: true)
        }
        return records
    }

    /// Gives back what could not be recorded. Returns how many records are given up because too much waits already.
    mutating func giveBack(_ records: [AuditRecord]) -> Int {
        var lost = 0
        for record in records {
            let key = Key(bucket: record.bucket, access: record.access)
            guard sums[key] != nil || sums.count < 4 * Self.most else {
                lost += 1
                continue
            }
            sums[key, default: Sum()].times += record.times
            sums[key, default: Sum()].events += record.events
            sums[key]?.isTold = false
        }
        return lost
    }
}
