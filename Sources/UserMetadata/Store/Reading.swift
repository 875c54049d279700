import LogEngine
import SegmentFormat

// What the calls that read answer, as the bodies of their answers.

extension UserStore {
    /// `/api/get_user_logs`; blocks on the disk. Fails with `badCursor` where the cursor is none of this question.
    public func logs(_ question: UserLogsQuestion) throws(StoreError) -> (body: [UInt8], entries: Int) {
        let page = try page(question)
        return (Answers.logs(page.lines, cursor: page.next, isComplete: page.isComplete), page.lines.count)
    }

    /// `/api/get_user_devices`.
    public func devices(_ question: UserQuestion) -> [UInt8] {
        Answers.devices(devices(of: question.username))
    }

    public func deviceQuestion(_ body: UnsafeRawBufferPointer) throws(BodyFault) -> DeviceQuestion {
        try DeviceQuestion(body, door)
    }

    /// `/api/check_device`.
    public func check(_ question: DeviceQuestion) -> [UInt8] {
        let history = devices(of: question.username)
        return Answers.check(
            DeviceCheck(question.device, history: history, now: logins.resolution.bucket(of: now)))
    }

    /// `/api/get_last_login`.
    public func lastLogins(_ question: LastLoginQuestion) -> [UInt8] {
        let logins = lastLogins(of: question.username)
        return Answers.lastLogins(logins.filter { question.service == nil || $0.service == question.service })
    }

    /// `/api/get_unused_accounts`.
    public func unused(_ question: UnusedAccountsQuestion) -> (body: [UInt8], accounts: Int) {
        let accounts = unusedAccounts(question)
        return (Answers.unused(accounts), accounts.usernames.count)
    }
}
