import LogEngine
import NIOCore
import NIOPosix
import SegmentFormat

/// Begins the answers to `GET /wsapi/interaction_data`.
struct EventReader: Sendable {
    /// Bytes of a page that are kept until it is known whether another follows. A larger page is read
    /// twice instead: once to find its end, once to send it.
    private static let heldBytes = 2 << 20

    let log: EventLog
    let blocking: NIOThreadPool
    let places: ScanPlaces

    /// `nil` for an answer that follows.
    func tag(_ snapshot: LogSnapshot, _ query: EventQuery, _ form: EventForm) async throws -> EntityTag? {
        guard !query.follows else { return nil }
        return try await blocking.runIfActive { try EntityTag(snapshot, query, form) }
    }

    /// - Parameter parameters: the query, which the link to the next page repeats.
    func answer(
        _ query: EventQuery, of snapshot: LogSnapshot, form: EventForm, parameters: QueryParameters
    ) async throws -> EventAnswer {
        guard query.request.limit != nil else {
            let pieces = try await blocking.runIfActive { try self.pieces(snapshot, query.request, form) }
            return EventAnswer(
                form: form, pieces: pieces,
                follow: query.follows ? .init(range: query.request.range, after: snapshot.lastSequence) : nil)
        }
        let page = try await blocking.runIfActive { try self.page(snapshot, query.request, form) }
        return EventAnswer(
            form: form, pieces: page.pieces, held: page.held,
            next: page.next.map { "\(Route.eventsPath)?\(parameters.replacing("cursor", with: $0.text))" })
    }

    /// Begins the answer to `GET /wsapi/interaction_data/stream`: what came after a sequence, `nil` for
    /// now, and then every new event.
    func changes(after since: Sequence?, heartbeat: Duration) async throws -> EventAnswer {
        let snapshot = log.snapshot()
        let last = snapshot.lastSequence
        let request = ScanRequest(order: .arrival, after: since ?? last)
        let pieces = try await blocking.runIfActive { try self.pieces(snapshot, request, .changes) }
        return EventAnswer(
            form: .changes, pieces: pieces,
            follow: .init(range: request.range, after: max(since ?? last, last), heartbeat: heartbeat))
    }

    private struct Page: Sendable {
        let pieces: EventPieces
        var held: [ByteBuffer] = []
        /// Where the next page begins; `nil` where there is none.
        let next: ScanCursor?
    }

    private func pieces(
        _ snapshot: LogSnapshot, _ request: ScanRequest, _ form: EventForm
    ) throws(StoreError) -> EventPieces {
        try EventPieces(snapshot, request, form: form, places: places) { [log] in log.snapshot() }
    }

    private func page(
        _ snapshot: LogSnapshot, _ request: ScanRequest, _ form: EventForm
    ) throws(StoreError) -> Page {
        let pieces = try self.pieces(snapshot, request, form)
        let heldBytes = pieces.hasPlace ? Self.heldBytes : EventPieces.lonePieceBytes
        var held: [ByteBuffer] = []
        var bytes = 0
        while bytes <= heldBytes, let piece = try pieces.next() {
            bytes += piece.readableBytes
            held.append(piece)
        }
        guard bytes > heldBytes else { return Page(pieces: pieces, held: held, next: pieces.cursor) }
        pieces.close()
        let next = try EventPieces.cursor(behind: request, of: snapshot, form: form)
        return Page(pieces: try self.pieces(snapshot, request, form), next: next)
    }

    /// How many events a range holds, as a bare JSON number.
    func count(_ range: ClosedRange<UInt64>) async throws -> (answer: ShortAnswer, events: Int) {
        let snapshot = log.snapshot()
        let count = try await blocking.runIfActive { try snapshot.count(in: range) }
        var answer = ShortAnswer(.ok, MediaType.json, ByteBuffer(string: String(count.events)))
        answer.fields[.daybookComplete] = count.isComplete ? "true" : "false"
        return (answer, Int(count.events))
    }

    /// The row of the event with the highest time, or `nil` where there is none.
    func last() async throws -> ByteBuffer? {
        let snapshot = log.snapshot()
        guard let event = try await blocking.runIfActive({ try snapshot.last() }) else { return nil }
        return event.line.withUnsafeBytes { line in
            let row = EventRow(line, id: EventID(store: snapshot.store, sequence: event.sequence))
            var json = ByteBuffer()
            json.writeWithUnsafeMutableBytes(minimumWritableBytes: row.maximumByteCount) { place in
                place.baseAddress.map { row.write(to: $0) } ?? 0
            }
            return json
        }
    }

    /// `{"results":{…}}`, or `nil` where there is no such event.
    func event(_ text: String) async throws -> ByteBuffer? {
        let snapshot = log.snapshot()
        guard let id = EventID(text), id.store == snapshot.store else { return nil }
        guard let line = try await blocking.runIfActive({ try snapshot.line(of: id.sequence) }) else { return nil }
        return line.withUnsafeBytes { line in
            let row = EventRow(line, id: id)
            var json = ByteBuffer(string: #"{"results":"#)
            json.writeWithUnsafeMutableBytes(minimumWritableBytes: row.maximumByteCount) { place in
                place.baseAddress.map { row.writeValue(to: $0) } ?? 0
            }
            json.writeStaticString("}\n")
            return json
        }
    }
}
