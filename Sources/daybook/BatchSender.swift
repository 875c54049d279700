import AsyncHTTPClient
import FoundationEssentials
import Interactions
import NIOCore
import SegmentFormat
import StrictJSON

/// What the server answered to a batch.
struct SentBatch: Sendable {
    struct Receipt: Decodable, Sendable {
        let accepted: Int
        let discarded: Int
    }

    let bytes: Int
    let result: Result<Receipt, any Error>
}

/// Sends one batch until the server has answered for good. Its key makes it safe to send again.
struct BatchSender: Sendable {
    private static let tries = 8
    private static let firstPause = Duration.milliseconds(200)
    private static let longestPause = Duration.seconds(10)
    private static let timeLimit = TimeAmount.seconds(120)
    private static let answerBytes = 1 << 20
    /// Answers after which the same may succeed.
    private static let passing: Set<UInt> = [408, 425, 429, 500, 502, 503, 504]

    let client: HTTPClient
    let server: ServerAddress
    let identity: InputIdentity
    /// Batches are sent as LZ4 frames.
    let compresses: Bool
    /// Told once that something did not work at first.
    let onRetry: @Sendable (String) -> Void

    func send(_ batch: InputBatch) async -> SentBatch {
        do {
            return SentBatch(bytes: batch.bytes.count, result: .success(try await receipt(for: batch)))
        } catch {
            return SentBatch(bytes: batch.bytes.count, result: .failure(error))
        }
    }

    /// The server does not take LZ4, or not of events that are so much alike.
    private struct CodingRefused: Error {}

    private func receipt(for batch: InputBatch) async throws -> SentBatch.Receipt {
        guard compresses else { return try await receipt(for: batch, isCoded: false) }
        do {
            return try await receipt(for: batch, isCoded: true)
        } catch is CodingRefused {
            return try await receipt(for: batch, isCoded: false)
        }
    }

    private func receipt(for batch: InputBatch, isCoded: Bool) async throws -> SentBatch.Receipt {
        let request = request(for: batch, isCoded: isCoded)
        var pause = Self.firstPause
        for attempt in 1...Self.tries {
            let problem: String
            do {
                let answer = try await client.execute(request, timeout: Self.timeLimit)
                let body = try await answer.body.collect(upTo: Self.answerBytes)
                if answer.status.code == 201 { return try Self.decode(body) }
                if isCoded, answer.status == .payloadTooLarge || answer.status == .unsupportedMediaType {
                    throw CodingRefused()
                }
                guard Self.passing.contains(answer.status.code) else {
                    throw Self.refusal(answer.status.code, body, batch)
                }
                problem = "\(server.url): the server answers \(answer.status.code)"
                if let wait = answer.headers.first(name: "retry-after").flatMap({ Int($0) }) { pause = .seconds(wait) }
            } catch let failure as CommandFailure {
                throw failure
            } catch let refused as RefusedInput {
                throw refused
            } catch let refused as CodingRefused {
                throw refused
            } catch {
                problem = server.unreachable(error)
            }
            if attempt == 1 { onRetry("\(problem); trying again") }
            if attempt == Self.tries { throw CommandFailure(.unavailable, problem) }
            try await Task.sleep(for: min(pause, Self.longestPause))
            pause *= 2
        }
        preconditionFailure("the last try returns or throws")
    }

    private func request(for batch: InputBatch, isCoded: Bool) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: server.events)
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/x-ndjson")
        request.headers.add(name: "idempotency-key", value: identity.key(of: batch))
        if isCoded {
            request.headers.add(name: "content-encoding", value: "lz4")
            request.body = .bytes(ByteBuffer(bytes: batch.bytes.withUnsafeBytes { LZ4Frame.encode($0) }))
        } else {
            request.body = .bytes(ByteBuffer(bytes: batch.bytes))
        }
        return request
    }

    private static func decode(_ body: ByteBuffer) throws -> SentBatch.Receipt {
        do {
            return try JSONDecoder().decode(SentBatch.Receipt.self, from: Data(body.readableBytesView))
        } catch {
            throw CommandFailure(.unavailable, "the server's answer is not one of Daybook's")
        }
    }

    private static func refusal(_ status: UInt, _ body: ByteBuffer, _ batch: InputBatch) -> any Error {
        let problem = ServerProblem(body.readableBytesView)
        if status == 400, let problem, let line = problem.line, let offset = problem.offset {
            let reason = problem.reason ?? ""
            return RefusedInput(
                place: batch.place(ofLine: line, offset: offset), reason: reason,
                message: EventFault.Reason(rawValue: reason)?.message ?? problem.detail ?? "refused")
        }
        let reason = problem?.detail.map { ": \($0)" } ?? ""
        return CommandFailure(status == 507 ? .noRoom : .data, "the server answers \(status)\(reason)")
    }
}
