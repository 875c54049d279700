import SegmentFormat

/// By what a device is known again, as it may be stored: what recognised it is hashed, and where it was is a zone.
public struct DeviceInfo: Equatable, Sendable {
    /// A keyed hash; `nil` where the client sent no id.
    public var id: Hash128?
    /// A country, as a rule.
    public var zone: [UInt8]?
}

/// What happened to an account, as it may be stored.
public struct LogEntry: Equatable, Sendable {
    public let bucket: Bucket
    public let username: [UInt8]
    /// `nil` where nothing is said of a device.
    public let device: DeviceInfo?
    /// As it is stored, without its LF.
    let line: [UInt8]
    /// Where in the line it is told what the device is, whatever its id and place: members of a JSON object, without
    /// its braces.
    let description: Range<Int>
}

/// When an account last used a service.
public struct LastLogin: Equatable, Sendable {
    public var bucket: Bucket
    public var username: [UInt8]
    public var service: [UInt8]
}
