import SegmentFormat

/// Accounts without a login since a bucket.
public struct UnusedAccounts: Equatable, Sendable {
    public var usernames: [[UInt8]] = []
    /// Goes on behind them: the last name that was looked at. `nil` at the end.
    public var next: [UInt8]?
}

/// Which services count.
private enum ServiceFilter {
    case any
    case only(UInt32)
    /// One that nobody uses.
    case unknown

    init(_ service: [UInt8]?, _ services: SharedTexts) {
        guard let service else {
            self = .any
            return
        }
        self = services.find(service).map { .only($0) } ?? .unknown
    }

    func takes(_ service: UInt32) -> Bool {
        switch self {
        case .any: true
        case .only(let wanted): service == wanted
        case .unknown: false
        }
    }
}

extension LastLoginView {
    /// Of `usernames`, in their order, those with no login at `since` or later, in `service` or, where that
    /// is `nil`, in any. Who was never seen is one of them.
    public func unused(of usernames: [[UInt8]], since: Bucket, service: [UInt8]?) -> [[UInt8]] {
        let filter = ServiceFilter(service, services)
        return usernames.filter { name in names.find(name).map { isUnused($0, since, filter) } ?? true }
    }

    private func isUnused(_ user: Int, _ since: Bucket, _ filter: ServiceFilter) -> Bool {
        rowPool.first(in: chains[user]) { $0.last >= since && filter.takes($0.service) } == nil
    }

    /// Looks at some more of all that are known; `false` where there are no more.
    fileprivate func look(_ search: inout UnusedSearch) -> Bool {
        let filter = ServiceFilter(search.service, services)
        let end = max(search.looked, min(search.looked + UserBounds.stretch, names.end))
        for user in names.numbers(in: search.looked..<end) where isUnused(user, search.since, filter) {
            if let after = search.after, !names.isBehind(user, after) { continue }
            if let last = search.found.last, names.isBehind(user, last) { continue }
            search.found.add(names[user])
        }
        search.looked = end
        return end < names.end
    }
}

/// Looks among all known accounts for those without a login since a bucket, by name: a stretch at a time, so that others
/// get their turn with the view. Of what changes meanwhile it may tell what was or what is.
public struct UnusedSearch: Sendable {
    fileprivate let since: Bucket
    fileprivate let service: [UInt8]?
    fileprivate let after: [UInt8]?
    private let limit: Int
    /// By the numbers of their names.
    fileprivate var looked = 0
    fileprivate var found: LeastTexts

    /// - Parameters:
    ///   - service: `nil`: any.
    ///   - after: those behind this name; `nil`: all.
    public init(since: Bucket, service: [UInt8]?, after: [UInt8]?, limit: Int) {
        (self.since, self.service, self.after, self.limit) = (since, service, after, limit)
        found = LeastTexts(limit: limit + 1)
    }

    /// `false` once every account was looked at.
    public mutating func goOn(in view: LastLoginView) -> Bool { view.look(&self) }

    /// Once every account was looked at.
    public var page: UnusedAccounts {
        let all = found.sorted
        var page = UnusedAccounts(usernames: Array(all.prefix(limit)))
        if all.count > limit { page.next = page.usernames.last }
        return page
    }
}

/// The first of many texts, in order, without keeping all.
private struct LeastTexts {
    private let limit: Int
    private var kept: [[UInt8]] = []
    /// None behind it is one of them; `nil` while that is not known of any.
    private(set) var last: [UInt8]?

    init(limit: Int) { self.limit = limit }

    mutating func add(_ text: [UInt8]) {
        kept.append(text)
        guard kept.count >= 2 * limit else { return }
        kept = sorted
        last = kept.last
    }

    var sorted: [[UInt8]] { Array(kept.sorted { $0.lexicographicallyPrecedes($1) }.prefix(limit)) }
}
