import HTTPTypes
import HummingbirdCore
import LogEngine
import NIOCore
import SegmentFormat

/// Answers `POST /wsapi/interaction_data`.
struct EventIntake: Sendable {
    /// Bodies up to this are decoded on the connection's event loop; for more, it has others to serve.
    static let loopBytes = 32 << 10

    let log: EventLog
    let counters: Counters

    /// The body of the answer, once every event is durable. Throws a `Problem` where nothing was stored.
    func take(_ request: Request, continuing writer: borrowing ResponseWriter) async throws -> ByteBuffer {
        var body = ByteBuffer()
        do {
            let key = try Self.key(of: request)
            let reader = try BodyReader(request.headers)
            let admission = try await log.admit(reader.admitted)
            defer { admission.release() }
            if request.headers[.expect]?.lowercased() == "100-continue" {
                try await writer.writeInformationalHead(HTTPResponse(status: .continue))
            }
            body = try await reader.read(request.body)
            return try await stored(body, key)
        } catch {
            if let problem = Problem(of: error) {
                counters.refuse(problem.reason, events: body.withUnsafeReadableBytes { $0.lineFeeds })
            }
            throw error
        }
    }

    private static func key(of request: Request) throws(Problem) -> DeliveryKey? {
        guard request.headers[.contentType].map(MediaType.essence) == MediaType.ndjson else {
            throw .unsupportedMediaType
        }
        return try DeliveryKey(request.headers)
    }

    private func stored(_ body: ByteBuffer, _ key: DeliveryKey?) async throws -> ByteBuffer {
        guard body.readableBytes > Self.loopBytes else { return try await store(body, key) }
        return try await withTaskExecutorPreference(globalConcurrentExecutor) { try await store(body, key) }
    }

    private func store(_ body: ByteBuffer, _ key: DeliveryKey?) async throws -> ByteBuffer {
        let batch = try await EventDecoder.decode(body, resolution: log.resolution)
        guard !batch.isEmpty else { return receiptOfNothing }
        let delivery = key?.delivery(of: body, secret: log.deliverySecret)
        return receipt(of: try await log.append(batch, delivery: delivery))
    }

    /// Counts what was stored, and tells it.
    func receipt(of outcome: AppendOutcome) -> ByteBuffer {
        if outcome.isRepeat {
            counters.repeat()
        } else {
            counters.accept(outcome.accepted, discarding: outcome.discarded)
        }
        return receipt(
            first: outcome.accepted > 0 ? outcome.firstSequence : nil, accepted: outcome.accepted,
            discarded: outcome.discarded)
    }

    /// For a body without events.
    var receiptOfNothing: ByteBuffer { receipt(first: nil, accepted: 0, discarded: 0) }

    /// The same outcome always gives the same bytes, so a repeat gets its first answer.
    private func receipt(first: Sequence?, accepted: Int, discarded: Int) -> ByteBuffer {
        var json = ByteBufferAllocator().buffer(capacity: 160)
        json.writeStaticString(#"{"accepted":"#)
        json.writeString(String(accepted))
        json.writeStaticString(#","discarded":"#)
        json.writeString(String(discarded))
        json.writeStaticString(#","first_id":"#)
        write(first, to: &json)
        json.writeStaticString(#","last_id":"#)
        write(first.map { $0 + (accepted - 1) }, to: &json)
        json.writeStaticString("}\n")
        return json
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
