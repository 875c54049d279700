import HummingbirdCore
import LogEngine
import Logging
import NIOCore
import NIOPosix
import SegmentFormat

// A write suspends while the socket has no room. Because the task of a connection runs on the
// connection's event loop (`LoopChannel`), it learns that in time: no more than NIO's mark of 64 KiB and
// the piece that went over it wait for the client. Off the loop tens of MiB could.

/// Writes the body of an answer, no faster than the client reads it.
struct EventStreamer: Sendable {
    let log: EventLog
    let blocking: NIOThreadPool
    let departure: ClientDeparture
    let counters: Counters
    /// How long an answer may take that does not follow.
    let limit: Duration
    let drain: Drain
    let logger: Logger

    func write(_ answer: EventAnswer, to writer: consuming some ResponseBodyWriter) async throws {
        let stopwatch = Stopwatch(log, limit: answer.follow == nil ? limit : nil, drain)
        for piece in answer.held { try await write(piece, &writer) }
        let isComplete = try await finishes(answer, stopwatch, &writer)
        if let closing = answer.pieces.closing() { try await write(closing, &writer) }
        let reason = answer.pieces.wasStopped ? stopwatch.reason : nil
        if let reason { counters.refuse(reason, events: 0) }
        let trailer = answer.trailer(isComplete: isComplete, reason: reason)
        if answer.ending.hasLine { try await write(answer.lastLine(trailer), &writer) }
        counters.deliver(events: answer.pieces.count)
        try await writer.finish(answer.ending.hasTrailer ? trailer : nil)
    }

    private func write(_ piece: ByteBuffer, _ writer: inout some ResponseBodyWriter) async throws {
        try await writer.write(piece)
        counters.send(bytes: piece.readableBytes)
    }

    /// Whether everything could be read. A failure in the middle is told in the trailer: the head has
    /// long been sent.
    private func finishes(
        _ answer: EventAnswer, _ stopwatch: Stopwatch, _ writer: inout some ResponseBodyWriter
    ) async throws -> Bool {
        do {
            try await tell(answer.pieces, stopwatch, &writer)
            if let follow = answer.follow { try await self.follow(follow, answer.pieces, stopwatch, &writer) }
            return true
        } catch let error as StoreError {
            logger.error("an answer was cut short: \(error)")
            return false
        }
    }

    /// While a piece is on its way, the next ones are made; not where the scan has no place, because what is made
    /// ahead would be held.
    private func tell(
        _ pieces: EventPieces, _ stopwatch: Stopwatch, _ writer: inout some ResponseBodyWriter
    ) async throws {
        let ahead = PiecesAhead(
            on: blocking, most: { pieces.hasPlace ? EventPieces.ahead : 0 },
            make: { try stopwatch.isOver ? pieces.stop() : pieces.next() })
        defer { ahead.stop() }
        while let piece = try await ahead.next() { try await write(piece, &writer) }
        // Suspends until the client has taken what was told. Only then is the place given up, or any number of
        // clients that do not read could have pieces waiting.
        try await writer.write(ByteBuffer())
        pieces.close()
    }

    /// Tells what is stored from now on, in order of arrival, until the client leaves or the log stops
    /// its followers.
    private func follow(
        _ follow: EventAnswer.Follow, _ pieces: EventPieces, _ stopwatch: Stopwatch,
        _ writer: inout some ResponseBodyWriter
    ) async throws {
        var last = follow.after
        while true {
            switch await news(after: last, within: follow.heartbeat) {
            case .events(let snapshot):
                let request = ScanRequest(
                    range: follow.range, order: .arrival, limit: nil, cursor: nil, after: last)
                try await blocking.runIfActive { try pieces.proceed(snapshot, request) }
                try await tell(pieces, stopwatch, &writer)
                last = snapshot.lastSequence
            case .silence: try await write(pieces.heartbeat(), &writer)
            case .end: return
            }
        }
    }

    private enum News {
        case events(LogSnapshot)
        case silence
        /// The client has left, or the log has stopped its followers.
        case end
    }

    private func news(after sequence: Sequence, within limit: Duration?) async -> News {
        let waiting = Task { await log.snapshot(after: sequence) }
        departure.onDeparture { waiting.cancel() }
        let timer = limit.map { limit in
            Task {
                try await Task.sleep(for: limit)
                waiting.cancel()
            }
        }
        let snapshot = await withTaskCancellationHandler {
            await waiting.value
        } onCancel: {
            waiting.cancel()
        }
        timer?.cancel()
        if let snapshot { return .events(snapshot) }
        guard let timer, case .success = await timer.result, !Task.isCancelled else { return .end }
        return .silence
    }
}

/// Tells when an answer has taken as long as it may, by the log's clock.
private struct Stopwatch: Sendable {
    private let log: EventLog
    private let end: UInt64
    private let drain: Drain

    /// - Parameter limit: from now on; `nil` for none.
    init(_ log: EventLog, limit: Duration?, _ drain: Drain) {
        self.log = log
        self.drain = drain
        end = limit.map { log.uptime() + UInt64($0 / .nanoseconds(1)) } ?? .max
    }

    var isOver: Bool {
        let now = log.uptime()
        return now >= end || drain.cuts(at: now)
    }

    /// Why it is over.
    var reason: String { log.uptime() >= end ? "scan_too_long" : "stopping" }
}
