import NIOCore
import Synchronization

/// The way back to the client of a job. What cannot be sent is dropped: a job goes on without its client.
final class JobAnswer: ConsoleSink {
    let isTerminal: Bool
    let writesToTerminal = false
    let isClosed = false
    private let channel: any Channel
    private let unsentBytes: Int
    private let unsent = Atomic(0)

    init(_ channel: any Channel, _ limits: ControlLimits, isTerminal: Bool = false) {
        self.channel = channel
        self.isTerminal = isTerminal
        unsentBytes = limits.unsentBytes
    }

    func write(_ output: UnsafeRawBufferPointer) { send(.output(String(decoding: output, as: UTF8.self))) }

    func show(_ talk: String) { send(.talk(talk)) }

    /// The client may send its request.
    func beReady() { send(.ready(protocol: JobRequest.currentProtocol)) }

    /// Sends the exit code, and closes the connection behind it.
    func end(_ status: Int32) {
        send(.exit(status)).whenComplete { [channel] _ in channel.close(promise: nil) }
    }

    /// Ends before a job began.
    func refuse(_ refusal: JobRefusal) {
        show("daybook: \(refusal.reason)\n")
        end(refusal.status.rawValue)
    }

    @discardableResult
    private func send(_ reply: JobReply) -> EventLoopFuture<Void> {
        let line = reply.line
        let count = line.readableBytes
        if unsent.add(count, ordering: .relaxed).newValue > unsentBytes { channel.close(promise: nil) }
        let sent = channel.writeAndFlush(line)
        sent.whenComplete { _ in self.unsent.subtract(count, ordering: .relaxed) }
        return sent
    }
}

extension CommandFailure {
    init(_ refusal: JobRefusal) { self.init(refusal.status, refusal.reason) }
}

/// Why a connection brings no job.
struct JobRefusal: Error, Equatable {
    let status: ExitStatus
    let reason: String

    static let stranger = JobRefusal(
        status: .unavailable, reason: "the server takes jobs from its own user and from root alone")
    static let crowded = JobRefusal(
        status: .temporary, reason: "too many jobs are talking to the server; try again")
    static let shutDown = JobRefusal(status: .temporary, reason: "the server is shutting down; try again")
    static let nonsense = JobRefusal(status: .usage, reason: "this is no request for a job")
    static let otherProtocol = JobRefusal(
        status: .unavailable, reason: "the server is of another version than this command; restart it")

    static func tooLong(_ bytes: Int) -> JobRefusal {
        JobRefusal(status: .usage, reason: "a request for a job has at most \(bytes.grouped) bytes")
    }

    static func slow(_ limit: TimeAmount) -> JobRefusal {
        JobRefusal(status: .temporary, reason: "no request came within \(limit.nanoseconds / 1_000_000) ms")
    }
}
