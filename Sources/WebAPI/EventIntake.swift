import HTTPTypes
import HummingbirdCore
import Interactions
import LogEngine
import NIOCore
import SegmentFormat
import StrictJSON

/// Answers `POST /wsapi/interaction_data`.
struct EventIntake: Sendable {
    /// Bodies up to this are decoded on the connection's event loop; for more, it has others to serve.
    static let loopBytes = 32 << 10

    let log: EventLog
    let counters: Counters
    let bodyLimit: Duration
    /// Bytes of a body.
    let byteLimit: Int

    /// What to answer once every event is durable. Throws a `Problem` where nothing was stored.
    func take(_ request: Request, continuing writer: borrowing ResponseWriter) async throws -> ShortAnswer {
        var body = ByteBuffer()
        var events: Int?
        do {
            let form = try PostForm(request.headers, request.uri.query)
            let key = try DeliveryKey(request.headers)
            var reader = try BodyReader(request.headers, limit: bodyLimit, bytes: byteLimit)
            defer { counters.receive(bytes: reader.received) }
            let admission = try await log.admit(reader.admitted)
            defer { admission.release() }
            if request.headers[.expect]?.lowercased() == "100-continue" {
                try await writer.writeInformationalHead(HTTPResponse(status: .continue))
            }
            if reader.coding == nil {
                body = try await reader.read(request.body, admission)
                if body.readableBytes <= Self.loopBytes { return try await store(&body, form, key, &events) }
            }
            return try await withTaskExecutorPreference(globalConcurrentExecutor) {
                if reader.coding != nil { body = try await reader.read(request.body, admission) }
                return try await store(&body, form, key, &events)
            }
        } catch {
            if let problem = Problem(of: error) {
                let known = problem.events ?? events
                counters.refuse(problem.reason, events: known ?? body.withUnsafeReadableBytes { $0.lineCount })
            }
            throw error
        }
    }

    /// - Parameter events: how many they are, once it is known.
    private func store(
        _ body: inout ByteBuffer, _ form: PostForm, _ key: DeliveryKey?, _ events: inout Int?
    ) async throws -> ShortAnswer {
        let delivery = key?.delivery(of: body, secret: log.deliverySecret)
        guard case .lines(let skipsFaults) = form else {
            let batch = try await ListDecoder.decode(&body, form, resolution: log.resolution)
            events = batch.lineCount
            count(try await log.append(batch, delivery: delivery))
            return .text("ok", .created)
        }
        let decoded = try await EventDecoder.decode(
            body, skipsFaults: skipsFaults, resolution: log.resolution)
        let (batch, skipped) = (decoded.batch, decoded.skipped)
        for fault in skipped ?? [] { counters.skip(fault.fault.reason.rawValue) }
        guard !batch.isEmpty else { return ShortAnswer(receipt: receiptOfNothing(skipping: skipped)) }
        events = batch.lineCount
        let outcome = try await log.append(batch, delivery: delivery)
        return ShortAnswer(receipt: receipt(of: outcome, skipping: skipped))
    }

    private func count(_ outcome: AppendOutcome) {
        if outcome.isRepeat {
            counters.repeat()
        } else {
            counters.accept(outcome.accepted, discarding: outcome.discarded)
        }
    }

    /// Counts what was stored, and tells it.
    func receipt(of outcome: AppendOutcome, skipping skipped: [LineFault]? = nil) -> ByteBuffer {
        count(outcome)
        return receipt(
            first: outcome.accepted > 0 ? outcome.firstSequence : nil, accepted: outcome.accepted,
            discarded: outcome.discarded, skipped: skipped)
    }

    /// For a body without events.
    func receiptOfNothing(skipping skipped: [LineFault]? = nil) -> ByteBuffer {
        receipt(first: nil, accepted: 0, discarded: 0, skipped: skipped)
    }

    /// The same outcome of the same body always gives the same bytes, so a repeat gets its first answer.
    private func receipt(first: Sequence?, accepted: Int, discarded: Int, skipped: [LineFault]?) -> ByteBuffer {
        var json = ByteBufferAllocator().buffer(capacity: 160)
        json.writeStaticString(#"{"accepted":"#)
        json.writeString(String(accepted))
        json.writeStaticString(#","discarded":"#)
        json.writeString(String(discarded))
        json.writeStaticString(#","first_id":"#)
        write(first, to: &json)
        json.writeStaticString(#","last_id":"#)
        write(first.map { $0 + (accepted - 1) }, to: &json)
        if let skipped { write(skipped, to: &json) }
        json.writeStaticString("}\n")
        return json
    }

    private func write(_ skipped: [LineFault], to json: inout ByteBuffer) {
        json.writeStaticString(#","refused":["#)
        for (index, fault) in skipped.enumerated() {
            let reason = fault.fault.reason.rawValue
            json.writeString(index > 0 ? "," : "")
            json.writeString(#"{"line":\#(fault.line),"offset":\#(fault.offset),"reason":"\#(reason)"}"#)
        }
        json.writeStaticString("]")
    }

    private func write(_ sequence: Sequence?, to json: inout ByteBuffer) {
        guard let sequence else {
            json.writeStaticString("null")
            return
        }
        json.writeStaticString("\"")
        json.writeWithUnsafeMutableBytes(minimumWritableBytes: EventID.byteCount) { place in
            guard let base = place.baseAddress else { return 0 }
            EventID(store: log.store, sequence: sequence).write(to: base)
            return EventID.byteCount
        }
        json.writeStaticString("\"")
    }
}
