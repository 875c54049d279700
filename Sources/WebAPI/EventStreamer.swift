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
    let logger: Logger

    func write(_ answer: EventAnswer, to writer: consuming some ResponseBodyWriter) async throws {
        for piece in answer.held { try await writer.write(piece) }
        let isComplete = try await finishes(answer, &writer)
        if let closing = answer.pieces.closing() { try await writer.write(closing) }
        let trailer = answer.trailer(isComplete: isComplete)
        if answer.ending.hasLine { try await writer.write(answer.lastLine(trailer)) }
        try await writer.finish(answer.ending.hasTrailer ? trailer : nil)
    }

    /// Whether everything could be read. A failure in the middle is told in the trailer: the head has
    /// long been sent.
    private func finishes(_ answer: EventAnswer, _ writer: inout some ResponseBodyWriter) async throws -> Bool {
        do {
            try await tell(answer.pieces, &writer)
            if let follow = answer.follow { try await self.follow(follow, answer.pieces, &writer) }
            return true
        } catch let error as StoreError {
            logger.error("an answer was cut short: \(error)")
            return false
        }
    }

    /// While a piece is on its way, the next ones are made; not where the scan has no place, because what is made
    /// ahead would be held.
    private func tell(_ pieces: EventPieces, _ writer: inout some ResponseBodyWriter) async throws {
        let ahead = PiecesAhead(
            on: blocking, most: { pieces.hasPlace ? EventPieces.ahead : 0 }, make: { try pieces.next() })
        defer { ahead.stop() }
        while let piece = try await ahead.next() { try await writer.write(piece) }
        // Suspends until the client has taken what was told. Only then is the place given up, or any number of
        // clients that do not read could have pieces waiting.
        try await writer.write(ByteBuffer())
        pieces.close()
    }

    /// Tells what is stored from now on, in order of arrival, until the client leaves or the log stops
    /// its followers.
    private func follow(
        _ follow: EventAnswer.Follow, _ pieces: EventPieces, _ writer: inout some ResponseBodyWriter
    ) async throws {
        var last = follow.after
        while true {
            switch await news(after: last, within: follow.heartbeat) {
            case .events(let snapshot):
                let request = ScanRequest(
                    range: follow.range, order: .arrival, limit: nil, cursor: nil, after: last)
                try await blocking.runIfActive { try pieces.proceed(snapshot, request) }
                try await tell(pieces, &writer)
                last = snapshot.lastSequence
            case .silence: try await writer.write(pieces.heartbeat())
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
