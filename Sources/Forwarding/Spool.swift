import LogEngine
import SegmentFormat

/// How much a spool may hold.
public struct SpoolBounds: Equatable, Sendable {
    /// Of its files.
    public var bytes: UInt64 = 10 << 30
    /// The longest that an event may wait, in milliseconds; `nil`: any time.
    public var ageMilliseconds: Int64?

    public init() {}
}

/// Why a spool cannot be forwarded.
public enum SpoolFault: Error, CustomStringConvertible {
    case damagedRecord(String)
    case recordAhead(String)

    public var description: String {
        switch self {
        case .damagedRecord(let path):
            "\(path).0, \(path).1: what was sent is not known any more; remove both to send all that is in the spool, "
                + "some of it for the second time"
        case .recordAhead(let path):
            "\(path): more was sent than the spool ever held, so it is an older copy; remove \(path).0 and \(path).1 to "
                + "send all that it holds, some of it for the second time"
        }
    }
}

/// A spool: a stream of its own, and beside it the record of what was sent (SPEC §24).
public struct Spool: Sendable {
    public let log: EventLog
    let note: DurableNote
    public let record: ForwardingRecord
    /// What there is to say about the record.
    public let notes: [String]

    public static func layout(_ directory: String) -> Layout { Layout(data: directory, stream: .spool) }

    static func notePath(_ directory: String) -> String { "\(layout(directory).root)/FORWARDING" }

    /// Of a spool, for its log. Segments are small, because they go as a whole.
    public static func options(_ bounds: SpoolBounds, resolution: Resolution?) -> LogOptions {
        var options = LogOptions()
        options.stream = .spool
        options.resolution = resolution
        options.sealBytes = Int(min(max(bounds.bytes / 16, 64 << 10), 64 << 20))
        options.reserveBytes = min(options.reserveBytes, bounds.bytes / 16)
        return options
    }

    /// Of a log of the spool that is open; it stays the caller's.
    public init(_ log: EventLog, in directory: String, _ environment: Environment) throws {
        self.log = log
        note = try DurableNote(Self.notePath(directory), disk: environment.disk)
        (record, notes) = try Self.record(in: note, of: log, directory, environment)
    }

    private static func record(
        in note: DurableNote, of log: EventLog, _ directory: String, _ environment: Environment
    ) throws -> (ForwardingRecord, notes: [String]) {
        let last = log.snapshot().lastSequence
        if let content = note.content {
            guard let record = ForwardingRecord(json: content) else {
                throw SpoolFault.damagedRecord(notePath(directory))
            }
            guard record.spool == log.store else { throw SpoolFault.damagedRecord(notePath(directory)) }
            guard record.cut <= last else { throw SpoolFault.recordAhead(notePath(directory)) }
            return (record, [])
        }
        // Before the first record no event was ever taken.
        if note.isDamaged, last > Sequence(0) { throw SpoolFault.damagedRecord(notePath(directory)) }
        let record = ForwardingRecord(spool: log.store, epoch: environment.random())
        try note.replace(with: record.json)
        let isNew = last == Sequence(0)
        return (record, isNew ? [] : ["there is no record of what was sent: all that is in the spool is sent again"])
    }

    /// Takes from a server what it may have, while nothing is forwarded; durable when it returns, with how many events
    /// that were.
    public func reassign(_ server: ServerName) throws -> Int {
        var record = record
        let events = record.unbind(server)
        if events > 0 { try note.replace(with: record.json) }
        return events
    }

    /// The record of a spool that another process may have open; `nil` where there is none.
    public static func record(of directory: String, _ environment: Environment) throws -> ForwardingRecord? {
        guard let content = try DurableNote.content(at: notePath(directory), disk: environment.disk) else { return nil }
        guard let record = ForwardingRecord(json: content) else { throw SpoolFault.damagedRecord(notePath(directory)) }
        return record
    }
}
