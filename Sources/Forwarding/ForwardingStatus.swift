import SegmentFormat

/// How forwarding does, for metrics, `/readyz` and `daybook spool status`.
public struct ForwardingStatus: Sendable {
    public struct Server: Sendable {
        public enum State: String, Sendable {
            case idle
            case sending
            /// It may have a batch, which it is asked about again.
            case unknown
            /// It is left alone for a while after a failure.
            case pausing
            /// It may have a batch, and is configured no more.
            case removed
        }

        public let name: ServerName
        public let state: State
        /// In a row.
        public let failures: Int
        public let problem: String?
        /// That it may have.
        public let unknownEvents: Int
    }

    /// In the order of preference.
    public let servers: [Server]
    /// That no server has answered for.
    public let waitingEvents: UInt64
    public let waitingBytes: UInt64
    /// Since the oldest of them came; 0 where there is none.
    public let waitingMilliseconds: Int64
    /// Of the spool's files.
    public let storedBytes: UInt64
    public let record: ForwardingRecord
    /// It takes no more.
    public let isFull: Bool
    /// Why nothing is sent any more.
    public let failure: String?

    /// Events wait, and no server is known to take them.
    public var isDegraded: Bool { failure != nil || !servers.contains { $0.failures == 0 && $0.state != .removed } }
}

extension Forwarder {
    /// The servers, and those that are configured no more but may have batches.
    public func servers(at ticks: Int64) -> [ForwardingStatus.Server] {
        lanes.map { server($0, ticks) } + strangers
    }

    private func server(_ lane: Lane, _ ticks: Int64) -> ForwardingStatus.Server {
        let state: ForwardingStatus.Server.State =
            switch lane.phase {
            case .idle: lane.notBefore > ticks ? .pausing : .idle
            case .recording, .sending: .sending
            case .unknown: .unknown
            }
        return ForwardingStatus.Server(
            name: lane.server, state: state, failures: lane.failures, problem: lane.lastProblem,
            unknownEvents: lane.mayHaveBatch ? record.events(boundTo: lane.server) : 0)
    }

    private var strangers: [ForwardingStatus.Server] {
        let known = Set(lanes.map(\.server))
        return Self.servers(of: record).filter { !known.contains($0.name) }
    }

    /// Those that a record names, while nothing is forwarded.
    public static func servers(of record: ForwardingRecord) -> [ForwardingStatus.Server] {
        record.batches.compactMap(\.binding?.server).map {
            ForwardingStatus.Server(
                name: $0, state: .removed, failures: 0, problem: nil, unknownEvents: record.events(boundTo: $0))
        }
    }
}

extension ForwardingRecord {
    fileprivate func events(boundTo server: ServerName) -> Int {
        batches.filter { $0.binding?.server == server }.reduce(0) { $0 + $1.stretch.events }
    }
}
