// The token bucket of each client, as the moment at which it would be full again (the generic cell rate
// algorithm, ITU-T I.371): a request moves that moment on by one interval, and is refused where it would lie
// more than a burst ahead. One number a client, and nothing is lost by forgetting one whose bucket is full.

/// Who has asked how much lately. A value: time is told to it, in nanoseconds.
struct ClientRates<Key: Hashable> {
    enum Decision: Equatable {
        case admitted
        /// Nanoseconds until the next request of this client would be admitted.
        case refused(wait: UInt64)
    }

    private struct Entry {
        let key: Key
        var fullAt: UInt64
        // In order of use.
        var older: Int?
        var newer: Int?
    }

    private let interval: UInt64
    private let burst: UInt64
    private let capacity: Int
    private var entries: [Entry] = []
    private var places: [Key: Int] = [:]
    private var oldest: Int?
    private var newest: Int?

    /// - Parameter capacity: clients that are remembered, at least 1; the one that asked last longest ago goes
    ///   first.
    init(_ rate: RequestLimits.ClientRate, capacity: Int) {
        interval = 1_000_000_000 / UInt64(rate.perSecond)
        burst = UInt64(rate.burst) * interval
        self.capacity = capacity
    }

    var count: Int { entries.count }

    mutating func admit(_ key: Key, now: UInt64) -> Decision {
        let place = touch(key, now)
        let fullAt = max(entries[place].fullAt, now) + interval
        guard fullAt - now <= burst else { return .refused(wait: fullAt - now - burst) }
        entries[place].fullAt = fullAt
        return .admitted
    }

    /// The place of a client, which is the newest from now on.
    private mutating func touch(_ key: Key, _ now: UInt64) -> Int {
        if let place = places[key] {
            unlink(place)
            link(place)
            return place
        }
        let place = makePlace(for: Entry(key: key, fullAt: now))
        places[key] = place
        link(place)
        return place
    }

    private mutating func makePlace(for entry: Entry) -> Int {
        guard entries.count == capacity, let place = oldest else {
            entries.append(entry)
            return entries.count - 1
        }
        unlink(place)
        places[entries[place].key] = nil
        entries[place] = entry
        return place
    }

    private mutating func link(_ place: Int) {
        (entries[place].older, entries[place].newer) = (newest, nil)
        if let newest { entries[newest].newer = place } else { oldest = place }
        newest = place
    }

    private mutating func unlink(_ place: Int) {
        let (older, newer) = (entries[place].older, entries[place].newer)
        if let older { entries[older].newer = newer } else { oldest = newer }
        if let newer { entries[newer].older = older } else { newest = older }
    }
}
