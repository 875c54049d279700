import SegmentFormat

/// What a forwarder has to know after a crash. It is durable before a batch is sent, so that whatever may have
/// reached a server is known by name, and goes to no other.
public struct ForwardingRecord: Equatable, Sendable {
    /// The store whose events are forwarded. Its id is the name of the source.
    public var spool: StoreID
    /// Random; renewed where a server remembers another forwarder under the same.
    public var epoch: UInt64
    public var nextNumber: UInt64 = 1
    /// Events up to here were put into batches.
    public var cut = Sequence(0)
    /// Those that no server has answered for, by their first sequence.
    public var batches: [Batch] = []
    /// When the oldest event that no server has answered for came, in milliseconds since 1970, floored.
    public var waitingSince: UInt64?
    public var tally = Tally()

    /// Events, since the record was made.
    public struct Tally: Equatable, Sendable {
        /// Stored by a server.
        public var delivered: UInt64 = 0
        /// Taken by a server and not stored, for they lay before its horizon.
        public var discarded: UInt64 = 0
        /// Given to another server although the first may have them.
        public var reassigned: UInt64 = 0
        /// Sent anew because a server had answered for fewer.
        public var disputed: UInt64 = 0
        /// Not answered for even then.
        public var missing: UInt64 = 0

        public init() {}
    }

    public init(spool: StoreID, epoch: UInt64) {
        self.spool = spool
        self.epoch = epoch
    }

    /// Servers have answered for every event up to here.
    public var sentThrough: Sequence {
        batches.first.map { Sequence($0.stretch.first.value - 1) } ?? cut
    }

    /// Of the batch that a server knows by this number.
    func indexOfBatch(boundTo server: ServerName, _ number: UInt64) -> Int? {
        batches.firstIndex { $0.binding?.server == server && $0.binding?.number == number }
    }

    /// A server has answered for these of a batch's events, which are no more than it has, and that is all that will
    /// be heard of it.
    mutating func settle(_ index: Int, accepted: UInt64, discarded: UInt64) {
        let events = UInt64(batches[index].stretch.events)
        tally.delivered += accepted
        tally.discarded += discarded
        tally.missing += events - accepted - discarded
        batches.remove(at: index)
    }

    /// A server takes a batch for one that it knows: another forwarder, a copy of this spool perhaps, has used the
    /// number. Under another epoch the batch is a new one.
    mutating func dispute(_ index: Int, epoch: UInt64) {
        batches[index].binding = nil
        batches[index].isDisputed = true
        tally.disputed += UInt64(batches[index].stretch.events)
        self.epoch = epoch
    }

    /// Takes from `server` what it may have: it may go to any now, and its events are stored at least once. Returns
    /// how many they are.
    public mutating func unbind(_ server: ServerName) -> Int {
        guard let index = batches.firstIndex(where: { $0.binding?.server == server }) else { return 0 }
        batches[index].binding = nil
        tally.reassigned += UInt64(batches[index].stretch.events)
        return batches[index].stretch.events
    }

    /// What always holds; `nil`, or what does not.
    public var flaw: String? {
        var last = Sequence(0)
        var servers: Set<ServerName> = []
        for batch in batches {
            let stretch = batch.stretch
            guard last < stretch.first, stretch.first <= stretch.last, stretch.last <= cut else {
                return "batches overlap, or reach beyond what was cut"
            }
            guard stretch.events > 0, UInt64(stretch.events) <= stretch.last.value - stretch.first.value + 1 else {
                return "a batch has no events, or more than sequences"
            }
            last = stretch.last
            guard let binding = batch.binding else { continue }
            guard binding.number < nextNumber else { return "a number is used that was not given out" }
            guard servers.insert(binding.server).inserted else { return "a server has two batches" }
        }
        return nil
    }
}
