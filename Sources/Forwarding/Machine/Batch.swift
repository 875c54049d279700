import SegmentFormat

/// A storage server, by its URL: the same text is the same server.
public struct ServerName: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let text: String

    public init(_ text: String) { self.text = text }

    public var description: String { text }
    public static func < (a: ServerName, b: ServerName) -> Bool { a.text < b.text }
}

/// Events of the spool that lie one behind the other. Read again, they are the same.
public struct Stretch: Hashable, Sendable {
    public var first: Sequence
    public var last: Sequence
    public var events: Int
    /// Of the lines with their LFs.
    public var bytes: Int
    /// XXH3-128 of them.
    public var digest: Hash128

    public init(first: Sequence, last: Sequence, events: Int, bytes: Int, digest: Hash128) {
        self.first = first
        self.last = last
        self.events = events
        self.bytes = bytes
        self.digest = digest
    }
}

/// What a batch is called at one server, which it may have reached.
public struct Binding: Hashable, Sendable {
    public var server: ServerName
    public var epoch: UInt64
    /// Rises from batch to batch at each server, and is never used for another batch.
    public var number: UInt64

    public init(server: ServerName, epoch: UInt64, number: UInt64) {
        self.server = server
        self.epoch = epoch
        self.number = number
    }
}

/// Events on their way. Without a binding no server has them, and any may get them.
public struct Batch: Hashable, Sendable {
    public var stretch: Stretch
    public var binding: Binding?
    /// A server has answered for fewer events than it was sent, so they were sent anew under another epoch.
    public var isDisputed: Bool

    public init(stretch: Stretch, binding: Binding? = nil, isDisputed: Bool = false) {
        self.stretch = stretch
        self.binding = binding
        self.isDisputed = isDisputed
    }
}

/// A batch that is to be sent.
public struct Shipment: Equatable, Sendable {
    public let stretch: Stretch
    public let binding: Binding
}

/// What a server made of a batch.
public enum ShipmentAnswer: Equatable, Sendable {
    /// It is durable there. Without a receipt the server does not say how many events it has answered for.
    case stored(Receipt?)
    /// It is certain that nothing of it was stored.
    case refused(Refusal)
    /// Nobody knows.
    case unknown(reason: String)

    public struct Receipt: Equatable, Sendable {
        public var accepted: Int
        /// Before the horizon of the server.
        public var discarded: Int

        public init(accepted: Int, discarded: Int) {
            self.accepted = accepted
            self.discarded = discarded
        }
    }

    public struct Refusal: Equatable, Sendable {
        public enum Cause: Equatable, Sendable {
            /// Another batch would have met the same.
            case server
            case batch
        }

        public var cause: Cause
        public var reason: String
        /// As the server wants it.
        public var retryAfterMilliseconds: Int64?

        public init(_ cause: Cause, _ reason: String, retryAfterMilliseconds: Int64? = nil) {
            self.cause = cause
            self.reason = reason
            self.retryAfterMilliseconds = retryAfterMilliseconds
        }
    }
}
