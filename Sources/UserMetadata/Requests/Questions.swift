import SegmentFormat
import StrictJSON

// The calls that read, as values.

/// `/api/get_user_logs`.
public struct UserLogsQuestion: Equatable, Sendable {
    public var username: [UInt8]
    /// `nil`: as far back as there is anything.
    public var maxDays: UInt64?
    public var limit: Int
    public var cursor: [UInt8]?

    public init(_ body: UnsafeRawBufferPointer) throws(BodyFault) {
        let fields = try Fields.question(body)
        username = try fields.required(QuestionField.username, UserBounds.username)
        maxDays = try fields.days(QuestionField.maxDays)
        limit = try fields.limit
        cursor = try fields.cursor
    }
}

/// A call that asks for a user and nothing else: `/api/get_user_devices`, `/api/erase_user`.
public struct UserQuestion: Equatable, Sendable {
    public var username: [UInt8]

    public init(_ body: UnsafeRawBufferPointer) throws(BodyFault) {
        username = try Fields.question(body).required(QuestionField.username, UserBounds.username)
    }
}

/// `/api/check_device`. The device went through the door: it is what would be stored.
public struct DeviceQuestion: Equatable, Sendable {
    public var username: [UInt8]
    public var device: DeviceInfo

    public init(_ body: UnsafeRawBufferPointer, _ door: Door) throws(BodyFault) {
        let fields = try Fields.question(body)
        username = try fields.required(QuestionField.username, UserBounds.username)
        guard fields.has(QuestionField.device) else {
            throw fields.fault(.missing, QuestionField.device.rawValue)
        }
        device = try door.device(fields, QuestionField.device) ?? DeviceInfo()
    }
}

/// `/api/get_last_login`.
public struct LastLoginQuestion: Equatable, Sendable {
    public var username: [UInt8]
    public var service: [UInt8]?

    public init(_ body: UnsafeRawBufferPointer) throws(BodyFault) {
        let fields = try Fields.question(body)
        username = try fields.required(QuestionField.username, UserBounds.username)
        service = try fields.text(QuestionField.service, UserBounds.name)
    }
}

/// `/api/get_unused_accounts`.
public struct UnusedAccountsQuestion: Equatable, Sendable {
    /// `nil`: all that are known, a page at a time.
    public var usernames: [[UInt8]]?
    public var days: UInt64
    public var service: [UInt8]?
    public var limit: Int
    public var cursor: [UInt8]?

    public init(_ body: UnsafeRawBufferPointer) throws(BodyFault) {
        let fields = try Fields.question(body)
        usernames = try fields.strings(
            QuestionField.usernames.rawValue, each: UserBounds.username, atMost: UserBounds.usernames)
        guard let days = try fields.days(QuestionField.days) else {
            throw fields.fault(.missing, QuestionField.days.rawValue)
        }
        self.days = days
        service = try fields.text(QuestionField.service, UserBounds.name)
        limit = try fields.limit
        cursor = try fields.cursor
    }
}

extension UnusedAccountsQuestion {
    /// An account is unused where its last login lies in a bucket before this one: what was floored may
    /// have been up to a resolution later, and counts as that.
    public func since(now: UInt64, resolution: Resolution) -> Bucket {
        resolution.bucket(of: now - min(now, days * 86_400_000))
    }
}

extension UserLogsQuestion {
    public func since(now: UInt64, resolution: Resolution) -> Bucket {
        maxDays.map { resolution.bucket(of: now - min(now, $0 * 86_400_000)) } ?? .earliest
    }
}

extension Fields {
    fileprivate static func question(_ body: UnsafeRawBufferPointer) throws(BodyFault) -> Fields {
        try whole(try JSONText.body(body), QuestionField.all)
    }

    fileprivate func days(_ field: QuestionField) throws(BodyFault) -> UInt64? {
        try integer(field.rawValue, UserBounds.days)
    }

    fileprivate var limit: Int {
        get throws(BodyFault) {
            let limit = try integer(QuestionField.limit.rawValue, 1...UInt64(UserBounds.page))
            return limit.map { Int($0) } ?? UserBounds.defaultPage
        }
    }

    fileprivate var cursor: [UInt8]? {
        get throws(BodyFault) { try text(QuestionField.cursor, 1...4_096) }
    }
}
