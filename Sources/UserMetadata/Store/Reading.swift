import LogEngine
import SegmentFormat

// What the calls that read answer, as the bodies of their answers.

extension UserStore {
    /// `/api/get_user_logs`; blocks on the disk. Fails with `badCursor` where the cursor is none of this question.
    public func logs(_ question: UserLogsQuestion) throws(StoreError) -> (body: [UInt8], entries: Int) {
        var query = KeyQuery(
            key: key.user(question.username), since: question.since(now: now, resolution: logins.resolution),
            limit: question.limit)
        query.cursor = try question.cursor.map { text throws(StoreError) in
            guard let cursor = KeyCursor(text: String(decoding: text, as: UTF8.self)) else { throw .badCursor }
            return cursor
        }
        let matcher = UserMatcher(question.username)
        let page = try logins.snapshot().page(of: query) { matcher.matches($0) }
        let next = page.next.map { Array($0.text.utf8) }
        return (Answers.logs(page.lines, cursor: next, isComplete: page.isComplete), page.lines.count)
    }

    /// `/api/get_user_devices`.
    public func devices(_ question: UserQuestion) -> [UInt8] {
        Answers.devices(devices.read { $0.devices(of: question.username) })
    }

    public func deviceQuestion(_ body: UnsafeRawBufferPointer) throws(BodyFault) -> DeviceQuestion {
        try DeviceQuestion(body, door)
    }

    /// `/api/check_device`.
    public func check(_ question: DeviceQuestion) -> [UInt8] {
        let history = devices.read { $0.devices(of: question.username) }
        return Answers.check(
            DeviceCheck(question.device, history: history, now: logins.resolution.bucket(of: now)))
    }

    /// `/api/get_last_login`.
    public func lastLogins(_ question: LastLoginQuestion) -> [UInt8] {
        let logins = last.read { $0.logins(of: question.username) }
        return Answers.lastLogins(logins.filter { question.service == nil || $0.service == question.service })
    }

    /// Names that are looked up before others get their turn.
    private static let stretch = 4_096

    /// `/api/get_unused_accounts`.
    public func unused(_ question: UnusedAccountsQuestion) -> [UInt8] {
        let since = question.since(now: now, resolution: lastLogins.resolution)
        guard let names = question.usernames else {
            return Answers.unused(
                last.read {
                    $0.unused(
                        since: since, service: question.service, after: question.cursor, limit: question.limit)
                })
        }
        var accounts = UnusedAccounts()
        for start in stride(from: 0, to: names.count, by: Self.stretch) {
            let some = Array(names[start..<min(start + Self.stretch, names.count)])
            accounts.usernames += last.read { $0.unused(of: some, since: since, service: question.service) }
        }
        return Answers.unused(accounts)
    }
}
