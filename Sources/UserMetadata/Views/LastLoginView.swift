import SegmentFormat

// The view `last-logins` (SPEC UM7): when a user last used a service. An older moment never replaces a newer
// one, so neither order nor repetition matters.

public struct LastLoginView: Sendable {
    private struct ServiceRow: ChainedRow {
        var last: Bucket
        var service: UInt32
        var next = RowLink.none
    }

    private var names: TextTable
    private var services: TextTable
    private var chains: [RowLink] = []
    private var rowPool = RowPool<ServiceRow>()

    public init(seed: UInt64) {
        names = TextTable(seed: seed)
        services = TextTable(seed: seed)
    }

    public var userCount: Int { names.count }

    public mutating func reserve(users: Int) {
        names.reserve(users)
        chains.reserveCapacity(users)
    }

    /// Services of all users.
    public var rowCount: Int { rowPool.count }

    public mutating func fold(_ login: LastLogin) {
        let user = names.insert(login.username)
        if user == chains.count { chains.append(.none) }
        let service = UInt32(services.insert(login.service))
        if let index = rowPool.first(in: chains[user], where: { $0.service == service }) {
            rowPool[index].last = max(rowPool[index].last, login.bucket)
        } else {
            _ = rowPool.push(ServiceRow(last: login.bucket, service: service), on: &chains[user])
        }
    }

    /// Whether folding `login` would change anything.
    public func isNews(_ login: LastLogin) -> Bool {
        guard let known = last(of: login.username, service: login.service) else { return true }
        return login.bucket > known
    }

    /// `nil` where the user never used the service.
    public func last(of username: [UInt8], service: [UInt8]) -> Bucket? {
        guard let user = names.find(username), let number = services.find(service),
            let index = rowPool.first(in: chains[user], where: { $0.service == UInt32(number) })
        else { return nil }
        return rowPool[index].last
    }

    /// By service; none where the user is not known.
    public func logins(of username: [UInt8]) -> [LastLogin] {
        guard let user = names.find(username) else { return [] }
        return logins(user)
    }

    private func logins(_ user: Int) -> [LastLogin] {
        rowPool.rows(of: chains[user])
            .map { LastLogin(bucket: $0.last, username: names[user], service: services[Int($0.service)]) }
            .sorted { $0.service.lexicographicallyPrecedes($1.service) }
    }

    public mutating func erase(_ username: [UInt8]) {
        guard let user = names.find(username) else { return }
        rowPool.free(&chains[user], blank: ServiceRow(last: .earliest, service: 0))
        names.remove(user)
    }

    /// All users by name, each with its services by name.
    public var rows: some Swift.Sequence<(username: [UInt8], logins: [LastLogin])> {
        names.sorted.lazy.map { user in (names[user], logins(user)) }
    }
}

// MARK: - Unused accounts

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

    init(_ service: [UInt8]?, _ services: TextTable) {
        guard let service else {
            self = .any
            return
        }
        self = services.find(service).map { .only(UInt32($0)) } ?? .unknown
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

    /// The same of all that are known, by name: `limit` of them behind the name `after`.
    public func unused(since: Bucket, service: [UInt8]?, after: [UInt8]?, limit: Int) -> UnusedAccounts {
        let filter = ServiceFilter(service, services)
        var found = LeastTexts(names, limit: limit + 1)
        for user in names.numbers where isUnused(user, since, filter) {
            if let after, !after.lexicographicallyPrecedes(names[user]) { continue }
            found.add(user)
        }
        let all = found.sorted
        var page = UnusedAccounts(usernames: all.prefix(limit).map { names[$0] })
        if all.count > limit { page.next = page.usernames.last }
        return page
    }
}

/// The first of many texts, in order, without sorting all.
private struct LeastTexts {
    private let names: TextTable
    private let limit: Int
    private var kept: [Int] = []
    private var greatest: Int?

    init(_ names: TextTable, limit: Int) {
        self.names = names
        self.limit = limit
    }

    mutating func add(_ number: Int) {
        if let greatest, !names.isBefore(number, greatest) { return }
        kept.append(number)
        if kept.count >= 2 * limit { trim() }
    }

    private mutating func trim() {
        kept = sorted
        greatest = kept.count == limit ? kept.last : nil
    }

    var sorted: [Int] { Array(kept.sorted { names.isBefore($0, $1) }.prefix(limit)) }
}
