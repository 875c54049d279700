import LogEngine
import SegmentFormat

// What is known of users, as values, for those who tell people.

/// Of one page of a user's entries, the newest first.
public struct UserLogPage: Sendable {
    /// Stored lines, without their LFs.
    public var lines: [[UInt8]]
    public var next: [UInt8]?
    /// Whether all could be read.
    public var isComplete: Bool
}

/// How much a view knows.
public struct ViewFigures: Equatable, Sendable {
    public var name: String
    public var users: Int
    /// Devices, or last logins.
    public var rows: Int
}

extension UserStore {
    public var views: [ViewFigures] {
        [
            devices.read { ViewFigures(name: "devices", users: $0.userCount, rows: $0.rowCount) },
            last.read { ViewFigures(name: "last-logins", users: $0.userCount, rows: $0.rowCount) },
        ]
    }

    /// By which the records in `audit` and the files know a user.
    public func subject(of username: [UInt8]) -> Hash128 { key.user(username) }

    /// The last used first.
    public func devices(of username: [UInt8]) -> [KnownDevice] { devices.read { $0.devices(of: username) } }

    /// By service.
    public func lastLogins(of username: [UInt8]) -> [LastLogin] { last.read { $0.logins(of: username) } }

    /// A page of what `UnusedAccountsQuestion` asks for, or all of it where it has names.
    public func unusedAccounts(_ question: UnusedAccountsQuestion) -> UnusedAccounts {
        let since = question.since(now: now, resolution: lastLogins.resolution)
        guard let names = question.usernames else {
            var search = UnusedSearch(
                since: since, service: question.service, after: question.cursor, limit: question.limit)
            while last.read({ search.goOn(in: $0) }) {}
            return search.page
        }
        var accounts = UnusedAccounts()
        for start in stride(from: 0, to: names.count, by: UserBounds.stretch) {
            let some = Array(names[start..<min(start + UserBounds.stretch, names.count)])
            accounts.usernames += last.read { $0.unused(of: some, since: since, service: question.service) }
        }
        return accounts
    }

    /// Blocks on the disk. Fails with `badCursor` where the cursor is none of this question.
    public func page(_ question: UserLogsQuestion) throws(StoreError) -> UserLogPage {
        var query = KeyQuery(
            key: key.user(question.username), since: question.since(now: now, resolution: logins.resolution),
            limit: question.limit)
        query.cursor = try question.cursor.map { text throws(StoreError) in
            guard let cursor = KeyCursor(text: String(decoding: text, as: UTF8.self)) else { throw .badCursor }
            return cursor
        }
        let matcher = UserMatcher(question.username)
        let page = try logins.snapshot().page(of: query) { matcher.matches($0) }
        return UserLogPage(lines: page.lines, next: page.next.map { Array($0.text.utf8) }, isComplete: page.isComplete)
    }
}
