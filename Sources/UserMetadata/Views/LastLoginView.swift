import SegmentFormat

// The view `last-logins` (SPEC UM7): when a user last used a service. An older moment never replaces a newer
// one, so neither order nor repetition matters.

public struct LastLoginView: Sendable {
    struct ServiceRow: ChainedRow {
        var last: Bucket
        var service: UInt32
        var next = RowLink.none
    }

    private(set) var names: TextTable
    private(set) var services: SharedTexts
    /// By the number of the user's name.
    private(set) var chains: [RowLink] = []
    private(set) var rowPool = RowPool<ServiceRow>()

    public init(seed: UInt64) {
        names = TextTable(seed: seed)
        services = SharedTexts(seed: seed)
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
        let service = services.take(login.service)
        if let index = rowPool.first(in: chains[user], where: { $0.service == service }) {
            services.giveBack(service)
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
            let index = rowPool.first(in: chains[user], where: { $0.service == number })
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
            .map { LastLogin(bucket: $0.last, username: names[user], service: services[$0.service]) }
            .sorted { $0.service.lexicographicallyPrecedes($1.service) }
    }

    public mutating func erase(_ username: [UInt8]) {
        guard let user = names.find(username) else { return }
        for row in rowPool.rows(of: chains[user]) { services.giveBack(row.service) }
        rowPool.free(&chains[user], blank: ServiceRow(last: .earliest, service: 0))
        names.remove(user)
    }

    /// All users by name, each with its services by name.
    public var rows: some Swift.Sequence<(username: [UInt8], logins: [LastLogin])> {
        names.sorted.lazy.map { user in (names[user], logins(user)) }
    }
}
