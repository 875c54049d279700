import SegmentFormat

// Policies and holds: settings of the stream, kept in its manifest. Each change is durable when its call
// returns, and every snapshot from then on has it.

extension EventLog {
    public var policy: RetentionPolicy { snapshot().policy }

    /// By number.
    public var holds: [Hold] { snapshot().holds }

    /// Takes effect with the next purge. A bound of 0, or of 2^64 − 1, is a `badArgument`.
    public func setPolicy(_ policy: RetentionPolicy) async throws(StoreError) {
        let bounds = [policy.maxAgeMilliseconds, policy.maxBytes, policy.minFreeBytes]
        guard bounds.allSatisfy({ $0 != 0 && $0 != .max }) else {
            throw .badArgument("a bound of a policy is a number from 1 to 18446744073709551614")
        }
        try await perform { (writer) throws(StoreError) in
            try writer.updateManifest { $0.lists.policy = policy.isForever ? nil : policy }
        }
    }

    /// Keeps the events of a range of times, in milliseconds, both ends in, from being purged. The range
    /// grows to whole buckets. Where all of it is purged already, or the reason is not 1 to 1,024 bytes
    /// without control characters, or there are 1,000 holds, that is a `badArgument`.
    public func addHold(_ range: ClosedRange<UInt64>, reason: String) async throws(StoreError) -> Hold {
        guard (1...Hold.reasonBytes).contains(reason.utf8.count),
            reason.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control })
        else {
            throw .badArgument("a reason has 1 to \(Hold.reasonBytes) bytes, and no control characters")
        }
        return try await perform { (writer) throws(StoreError) in
            let hold = try writer.manifest.hold(range, reason: reason, now: writer.now)
            try writer.updateManifest { $0.lists.holds.add(hold) }
            return hold
        }
    }

    /// Returns the hold that is gone; `missing` where there is none of that number.
    public func removeHold(_ number: UInt64) async throws(StoreError) -> Hold {
        try await perform { (writer) throws(StoreError) in
            guard let hold = writer.manifest.lists.holds.all.first(where: { $0.number == number }) else {
                throw .noHold(number)
            }
            try writer.updateManifest { $0.lists.holds.remove(number) }
            return hold
        }
    }
}

extension Manifest {
    /// The hold that would be added next.
    fileprivate func hold(
        _ range: ClosedRange<UInt64>, reason: String, now: UInt64
    ) throws(StoreError) -> Hold {
        let hold = Hold(
            number: lists.holds.nextNumber, from: resolution.bucket(of: range.lowerBound),
            to: resolution.bucket(of: range.upperBound), created: resolution.bucket(of: now).milliseconds,
            reason: reason)
        guard lists.holds.all.count < Bounds.holds else {
            throw .badArgument("there are \(Bounds.holds) holds; remove one first")
        }
        guard hold.to >= horizon else {
            throw .badArgument("all of this range is purged already: events begin at \(horizon.milliseconds)")
        }
        return hold
    }
}
