import SegmentFormat
import StrictJSON

// A checkpoint of a view (SPEC UM8): lines of JSON, the first of which says what it is of, then one a user, or more
// where there is much to say, by name. The same view gives the same lines.

/// What the first line of a checkpoint says.
public struct CheckpointHead: Equatable, Sendable {
    public enum View: String, Sendable {
        case devices
        case lastLogins = "last-logins"
    }

    public var view: View
    /// Every event up to it is in the checkpoint, and none above.
    public var through: Sequence
    public var users: Int
    /// Of the key that hashed the ids: with another one nothing would be found again.
    public var key: Hash128

    public init(view: View, through: Sequence, users: Int, key: Hash128) {
        self.view = view
        self.through = through
        self.users = users
        self.key = key
    }
}

/// Why lines are no checkpoint.
public enum CheckpointFault: Error, Equatable, Sendable, CustomStringConvertible {
    /// The line with this number, 0 the first, cannot be read.
    case line(Int, String)
    case otherView
    case otherKey
    /// There are fewer or more users than its first line says.
    case count(expected: Int, found: Int)

    public var description: String {
        switch self {
        case .line(let number, let reason): "line \(number) of the checkpoint cannot be read: \(reason)"
        case .otherView: "the checkpoint is of another view"
        case .otherKey: "the checkpoint was made with another key"
        case .count(let expected, let found): "the checkpoint has \(found) users, not \(expected)"
        }
    }
}

extension CheckpointHead {
    var line: [UInt8] {
        var json = JSONWriter()
        json.open("{")
        json.name("view")
        json.string(view.rawValue)
        json.name("version")
        json.integer(1)
        json.name("through")
        json.integer(through.value)
        json.name("users")
        json.integer(UInt64(users))
        json.name("key")
        json.hash(key)
        json.close("}")
        return json.bytes
    }

    private static let fields = FieldList(
        Field("view"), Field("version"), Field("through"), Field("users"), Field("key"))

    init(_ line: UnsafeRawBufferPointer) throws(BodyFault) {
        let fields = try Fields.whole(try JSONText.body(line), Self.fields)
        guard let view = View(rawValue: String(decoding: try fields.required(0, 1...64), as: UTF8.self)) else {
            throw fields.fault(.invalid("a view"), 0)
        }
        guard try fields.integer(1, 1...1) != nil else { throw fields.fault(.missing, 1) }
        guard let through = try fields.integer(2, 0...999_999_999_999_999_999) else { throw fields.fault(.missing, 2) }
        guard let users = try fields.integer(3, 0...UInt64(UInt32.max)) else { throw fields.fault(.missing, 3) }
        guard let key = try fields.hash(4) else { throw fields.fault(.missing, 4) }
        self.init(view: view, through: Sequence(through), users: Int(users), key: key)
    }
}

// MARK: - Writing

extension DeviceView {
    /// Calls `body` with each line of a checkpoint, without a line feed.
    public func writeCheckpoint<Failure: Error>(
        through: Sequence, key: Hash128, _ body: ([UInt8]) throws(Failure) -> Void
    ) throws(Failure) {
        try body(CheckpointHead(view: .devices, through: through, users: userCount, key: key).line)
        for row in rows {
            var line = CheckpointLine(row.username, "devices")
            for part in row.devices.lazy.flatMap(\.parts) { try line.add({ part.write(to: &$0) }, body) }
            try body(line.finished)
        }
    }
}

/// The line of a user; one that grows long goes on in another.
private struct CheckpointLine {
    private let username: [UInt8]
    private let list: StaticString
    private var json: JSONWriter

    init(_ username: [UInt8], _ list: StaticString) {
        self.username = username
        self.list = list
        json = Self.begun(username, list)
    }

    private static func begun(_ username: [UInt8], _ list: StaticString) -> JSONWriter {
        var json = JSONWriter(capacity: 512)
        json.open("{")
        json.name("username")
        json.string(username)
        json.name(list)
        json.open("[")
        return json
    }

    mutating func add<Failure: Error>(
        _ element: (inout JSONWriter) -> Void, _ body: ([UInt8]) throws(Failure) -> Void
    ) throws(Failure) {
        if json.bytes.count > UserBounds.checkpointLine {
            try body(finished)
            json = Self.begun(username, list)
        }
        element(&json)
    }

    var finished: [UInt8] {
        var whole = json
        whole.close("]")
        whole.close("}")
        return whole.bytes
    }
}

extension KnownDevice {
    /// One with very many zones in parts, which merged give it again.
    fileprivate var parts: [KnownDevice] {
        guard zones.count > UserBounds.checkpointZones else { return [self] }
        return stride(from: 0, to: zones.count, by: UserBounds.checkpointZones).map { start in
            var part = self
            part.zones = Array(zones[start..<min(start + UserBounds.checkpointZones, zones.count)])
            if start > 0 { part.count = 0 }
            return part
        }
    }
}

extension KnownDevice {
    fileprivate func write(to json: inout JSONWriter) {
        json.open("{")
        json.name("id")
        json.hash(id)
        json.name("first")
        json.integer(first.milliseconds)
        json.name("last")
        json.integer(last.milliseconds)
        json.name("count")
        json.integer(count)
        if !zones.isEmpty {
            json.name("zones")
            json.open("[")
            for zone in zones { zone.write(to: &json) }
            json.close("]")
        }
        if !description.isEmpty {
            json.name("about")
            json.open("{")
            json.raw(description)
            json.close("}")
        }
        json.close("}")
    }
}

extension KnownZone {
    fileprivate func write(to json: inout JSONWriter) {
        json.open("{")
        json.name("zone")
        json.string(name)
        json.name("count")
        json.integer(count)
        json.name("last")
        json.integer(last.milliseconds)
        json.close("}")
    }
}

extension LastLoginView {
    /// Calls `body` with each line of a checkpoint, without a line feed.
    public func writeCheckpoint<Failure: Error>(
        through: Sequence, key: Hash128, _ body: ([UInt8]) throws(Failure) -> Void
    ) throws(Failure) {
        try body(CheckpointHead(view: .lastLogins, through: through, users: userCount, key: key).line)
        for row in rows {
            var line = CheckpointLine(row.username, "services")
            for login in row.logins { try line.add({ login.write(to: &$0) }, body) }
            try body(line.finished)
        }
    }
}

extension LastLogin {
    fileprivate func write(to json: inout JSONWriter) {
        json.open("{")
        json.name("service")
        json.string(service)
        json.name("last")
        json.integer(bucket.milliseconds)
        json.close("}")
    }
}
