import SegmentFormat
import StrictJSON

/// A view as it comes back from the lines of a checkpoint.
public struct CheckpointReader<View: CheckpointedView>: Sendable {
    public private(set) var head: CheckpointHead?
    private var view: View
    private let key: Hash128
    private var lines = 0
    private var users = 0
    private var lastUser: [UInt8]?

    public init(seed: UInt64, key: Hash128) {
        view = View(seed: seed)
        self.key = key
    }

    /// Takes the next line, without its line feed. `isErased`: users that were erased since are left out.
    public mutating func take(
        _ line: UnsafeRawBufferPointer, isErased: ([UInt8]) -> Bool = { _ in false }
    ) throws(CheckpointFault) {
        defer { lines += 1 }
        do throws(BodyFault) {
            if lines > 0 {
                let user = try view.restore(line, isErased)
                if user != lastUser { users += 1 }
                lastUser = user
                return
            }
            let head = try CheckpointHead(line)
            self.head = head
            view.reserve(users: min(head.users, UserBounds.reservedUsers))
        } catch { throw .line(lines, error.description) }
        guard head?.view == View.kind else { throw .otherView }
        guard head?.key == key else { throw .otherKey }
    }

    /// The view, once every line was taken.
    public consuming func finish() throws(CheckpointFault) -> (view: View, through: Sequence) {
        guard let head else { throw .line(0, "there is none") }
        guard head.users == users else { throw .count(expected: head.users, found: users) }
        return (view, head.through)
    }
}

public protocol CheckpointedView: Sendable {
    static var kind: CheckpointHead.View { get }
    init(seed: UInt64)
    /// Takes room for so many users at once.
    mutating func reserve(users: Int)
    /// Takes in a line of a checkpoint, unless its user is erased. Returns the user.
    mutating func restore(
        _ line: UnsafeRawBufferPointer, _ isErased: ([UInt8]) -> Bool
    ) throws(CheckpointLineFault) -> [UInt8]
    /// Calls `body` with each line of a checkpoint, without a line feed.
    func writeCheckpoint<Failure: Error>(
        through: Sequence, key: Hash128, _ body: ([UInt8]) throws(Failure) -> Void
    ) throws(Failure)
}

public typealias CheckpointLineFault = BodyFault

private let deviceRow = FieldList(Field("username"), Field("devices"))
private let deviceFields = FieldList(
    Field("id"), Field("first"), Field("last"), Field("count"), Field("zones"), Field("about"))
private let zoneFields = FieldList(Field("zone"), Field("count"), Field("last"))
private let lastLoginRow = FieldList(Field("username"), Field("services"))
private let serviceFields = FieldList(Field("service"), Field("last"))

extension DeviceView: CheckpointedView {
    public static var kind: CheckpointHead.View { .devices }

    public mutating func restore(
        _ line: UnsafeRawBufferPointer, _ isErased: ([UInt8]) -> Bool
    ) throws(CheckpointLineFault) -> [UInt8] {
        let fields = try Fields.whole(try JSONText.body(line), deviceRow)
        let username = try fields.required(0, UserBounds.username)
        if isErased(username) { return username }
        for device in try fields.objects(1, deviceFields) { merge(try KnownDevice(device), of: username) }
        return username
    }
}

extension KnownDevice {
    fileprivate init(_ fields: Fields) throws(BodyFault) {
        guard let id = try fields.hash(0) else { throw fields.fault(.missing, 0) }
        let zones = try fields.has(4) ? fields.objects(4, zoneFields) : []
        self.init(
            id: id, first: try fields.bucket(1), last: try fields.bucket(2), count: try fields.count(3, from: 0),
            zones: try zones.map { (zone) throws(BodyFault) in
                KnownZone(
                    name: try zone.required(0, UserBounds.stored), count: try zone.count(1, from: 1),
                    last: try zone.bucket(2))
            },
            description: try fields.members(5) ?? [])
    }
}

extension LastLoginView: CheckpointedView {
    public static var kind: CheckpointHead.View { .lastLogins }

    public mutating func restore(
        _ line: UnsafeRawBufferPointer, _ isErased: ([UInt8]) -> Bool
    ) throws(CheckpointLineFault) -> [UInt8] {
        let fields = try Fields.whole(try JSONText.body(line), lastLoginRow)
        let username = try fields.required(0, UserBounds.username)
        if isErased(username) { return username }
        for service in try fields.objects(1, serviceFields) {
            fold(
                LastLogin(
                    bucket: try service.bucket(1), username: username,
                    service: try service.required(0, UserBounds.stored)))
        }
        return username
    }
}

extension Fields {
    /// The objects of an array in a field that has to be there.
    fileprivate func objects(_ index: Int, _ list: FieldList) throws(BodyFault) -> [Fields] {
        guard has(index) else { throw fault(.missing, index) }
        var (found, refusal) = ([Fields](), BodyFault?.none)
        let path = path(index)
        let isArray = try forEachElement(index) { (text, start) throws(EventFault) in
            do throws(BodyFault) {
                let fields = try Fields(text, at: start, list, path: path)
                found.append(fields)
                return fields.end
            } catch {
                refusal = refusal ?? error
                return try text.valueEnd(from: start)
            }
        }
        if let refusal { throw refusal }
        guard isArray else { throw fault(.invalid("a list of objects"), index) }
        return found
    }

    fileprivate func bucket(_ index: Int) throws(BodyFault) -> Bucket {
        guard let value = try integer(index, 0...EventBounds.timestamps.upperBound) else {
            throw fault(.missing, index)
        }
        return Bucket(milliseconds: value)
    }

    fileprivate func count(_ index: Int, from least: UInt64) throws(BodyFault) -> UInt64 {
        guard let value = try integer(index, least...UInt64(UInt32.max)) else { throw fault(.missing, index) }
        return value
    }
}
