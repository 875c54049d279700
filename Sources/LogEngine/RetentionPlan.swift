import SegmentFormat

// How far the horizon is to rise (SPEC U1), and what becomes of each segment then. Pure.

/// A segment as retention sees it.
struct RetainedSegment: Sendable {
    let entry: SegmentEntry
    /// Of the file system, as `du` counts.
    let allocatedBytes: UInt64
    /// It takes appends still.
    let isActive: Bool

    init(_ entry: SegmentEntry, allocatedBytes: UInt64, isActive: Bool = false) {
        self.entry = entry
        self.allocatedBytes = allocatedBytes
        self.isActive = isActive
    }
}

struct RetentionPlan: Sendable {
    enum Action: String, Sendable {
        /// All of it goes.
        case drop
        /// What is left of it is written anew.
        case rewrite
    }

    /// Where the policies want the horizon.
    let wanted: Bucket
    /// Where it comes to lie: no hold is passed.
    let horizon: Bucket
    /// The hold that stops it.
    let stoppedBy: Hold?
    /// What is touched, by number.
    let actions: [(segment: RetainedSegment, action: Action)]

    /// - Parameters:
    ///   - unheld: the first bucket of what the checkpoints of a view do not hold yet.
    ///   - freeBytes: of the file system; `nil` where it cannot be asked, and `min_free` says nothing then.
    init(
        _ segments: [RetainedSegment], policy: RetentionPolicy, manifest: Manifest, unheld: Bucket = .latest,
        freeBytes: UInt64?,
        now: UInt64
    ) {
        let holds = manifest.lists.holds.all
        let resolution = manifest.resolution
        var wanted = manifest.horizon
        if let age = policy.maxAgeMilliseconds {
            wanted = max(wanted, resolution.bucket(of: now - min(now, age)))
        }
        let all = segments.reduce(0) { $0 + $1.allocatedBytes }
        var excess: UInt64 = 0
        if let most = policy.maxBytes, all > most { excess = all - most }
        if let least = policy.minFreeBytes, let freeBytes, freeBytes < least {
            excess = max(excess, least - freeBytes)
        }
        wanted = max(wanted, Self.horizon(freeing: excess, of: segments, resolution, now: now))
        let horizon = max(manifest.horizon, Retention.disposable(before: wanted, holds: holds, unheld: unheld))
        self.wanted = wanted
        self.horizon = horizon
        stoppedBy =
            horizon < wanted ? holds.filter { $0.from < wanted && $0.from <= unheld }.min { $0.from < $1.from } : nil
        // A hold may have come after the horizon: what it keeps stays on the disk.
        let floor = Retention.disposable(before: horizon, holds: holds, unheld: unheld)
        actions = segments.compactMap { segment in
            Self.action(on: segment.entry, floor, policy, holds, unheld: unheld, now: now).map { (segment, $0) }
        }
    }

    /// Behind the last bucket of as many segments, oldest first, as free so many bytes. It never passes
    /// `now`: a segment with events of the future goes by another rule (SPEC U5).
    private static func horizon(
        freeing bytes: UInt64, of segments: [RetainedSegment], _ resolution: Resolution, now: UInt64
    ) -> Bucket {
        var (horizon, freed) = (Bucket.earliest, UInt64(0))
        let today = Bucket(milliseconds: now).segmentDay
        let oldestFirst = segments.filter { $0.entry.lines > 0 && !$0.entry.isEarly(today) }
            .sorted { ($0.entry.lastBucket, $0.entry.segment) < ($1.entry.lastBucket, $1.entry.segment) }
        for segment in oldestFirst where freed < bytes && segment.entry.lastBucket.milliseconds <= now {
            horizon = Bucket(milliseconds: segment.entry.lastBucket.milliseconds + resolution.milliseconds)
            freed += segment.allocatedBytes
        }
        return horizon
    }

    private static func action(
        on entry: SegmentEntry, _ floor: Bucket, _ policy: RetentionPolicy, _ holds: [Hold], unheld: Bucket,
        now: UInt64
    ) -> Action? {
        // Of what lies in the future, and of what cannot be read, the sealing tells the age.
        let today = Bucket(milliseconds: now).segmentDay
        if entry.isEarly(today) || entry.isDamaged && entry.lines == 0 {
            guard let age = policy.maxAgeMilliseconds, now > age, entry.sealed <= now - age else { return nil }
            let isHeld = holds.contains { $0.from <= entry.lastBucket && entry.firstBucket <= $0.to }
            return isHeld || entry.lines > 0 && entry.lastBucket >= unheld ? nil : .drop
        }
        guard entry.lines > 0, entry.firstBucket < floor else { return nil }
        return entry.lastBucket < floor ? .drop : .rewrite
    }
}
