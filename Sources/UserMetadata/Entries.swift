import SegmentFormat

/// A device as it may be stored: what recognised it is hashed, and where it was is a zone.
public struct DeviceInfo: Equatable, Sendable {
    /// A keyed hash; `nil` where the client sent no id.
    public var id: Hash128?
    /// A country, as a rule.
    public var zone: [UInt8]?
    public var userAgent: [UInt8]?
    public var browser: [UInt8]?
    public var os: [UInt8]?
    public var isMobile: Bool?

    var isEmpty: Bool { self == DeviceInfo() }
}

/// What happened to an account, as it may be stored.
public struct LogEntry: Equatable, Sendable {
    public var bucket: Bucket
    public var username: [UInt8]
    public var type: [UInt8]?
    public var service: [UInt8]?
    public var loginMethod: [UInt8]?
    public var message: [UInt8]?
    public var device: DeviceInfo?
}

/// When an account last used a service.
public struct LastLogin: Equatable, Sendable {
    public var bucket: Bucket
    public var username: [UInt8]
    public var service: [UInt8]
}
