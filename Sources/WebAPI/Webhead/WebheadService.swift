import HTTPTypes
import Interactions
import LogEngine
import NIOCore
import SegmentFormat

/// What a webhead answers; knows no connections.
struct WebheadService: Sendable {
    /// What is to be done about a request.
    enum Reply {
        case now(ShortAnswer)
        /// Once these are durable.
        case stored(LineBatch, Admission, [BlobChange: Int])
    }

    /// Whom a listener is for.
    enum Side: Sendable {
        case browsers
        /// Those who run the webhead: health and metrics alone.
        case operators
    }

    let intake: BrowserIntake
    let counters: WebheadCounters
    let side: Side
    private let date = HTTPDate()

    init(_ intake: BrowserIntake, _ counters: WebheadCounters, _ side: Side) {
        self.intake = intake
        self.counters = counters
        self.side = side
    }

    var bodyBytes: Int { intake.options.bodyBytes }

    func head(_ status: HTTPResponse.Status, _ fields: HTTPFields) -> HTTPResponse {
        var head = HTTPResponse(status: status, headerFields: fields)
        head.headerFields[.date] = date.now
        return head
    }

    func answer(_ head: HTTPRequest, _ body: ByteBuffer) -> Reply {
        do throws(Problem) {
            switch try WebheadRoute(head.method, path: head.path ?? "", side) {
            case .context: return .now(intake.context(head.headerFields))
            case .post: return try post(head, body)
            case .ping: return .now(.text("pong"))
            case .isAlive: return .now(.text("ok"))
            case .isReady: return .now(try readiness())
            case .metrics: return .now(ShortAnswer(.ok, MediaType.text, ByteBuffer(string: metrics)))
            case .options(let methods): return .now(.options(methods))
            }
        } catch {
            return .now(refuse(error))
        }
    }

    private func post(_ head: HTTPRequest, _ body: ByteBuffer) throws(Problem) -> Reply {
        switch try intake.decide(head, body) {
        case .dropped(let reason):
            counters.drop(reason)
            return .now(Self.success)
        case .store(let batch, let admission, let changes):
            guard !batch.isEmpty else { return .now(Self.success) }
            return .stored(batch, admission, changes)
        }
    }

    /// Once the outcome is known. Never 500: browsers keep what they could not bring (SPEC Z3).
    func answer(
        to result: Result<AppendOutcome, StoreError>, lines: Int, _ changes: [BlobChange: Int]
    ) -> ShortAnswer {
        switch result {
        case .success:
            counters.accept(lines, changes)
            return Self.success
        case .failure(let error): return refuse(error.code == .noSpace ? .spoolFull : .brokenWebhead)
        }
    }

    private static let success = ShortAnswer(.ok, MediaType.json, ByteBuffer(string: #"{"success":true}"# + "\n"))

    func refuse(_ problem: Problem) -> ShortAnswer {
        counters.refuse(problem.reason)
        return ShortAnswer(problem)
    }

    // MARK: - Health

    private func readiness() throws(Problem) -> ShortAnswer {
        switch intake.surroundings.health() {
        case .well: return .text("ok")
        case .degraded(let reason): return .text("degraded: \(reason)")
        case .failed(let reason):
            var problem = Problem(.serviceUnavailable, "not_ready", reason)
            problem.fields[.retryAfter] = "60"
            throw problem
        }
    }

    private var metrics: String { counters.text + intake.surroundings.metrics() }

    // MARK: - Fields of every answer

    /// What every answer to a browser has.
    func finished(_ answer: ShortAnswer, for head: HTTPRequest) -> ShortAnswer {
        guard side == .browsers else { return answer }
        var answer = answer
        if head.path?.hasPrefix("/wsapi") == true { answer.fields[.cacheControl] = "no-cache, max-age=0" }
        guard !intake.options.origins.isEmpty else { return answer }
        answer.fields[.vary] = "Origin"
        guard let origin = head.headerFields[.origin], intake.options.origins.contains(origin) else { return answer }
        answer.fields[.accessControlAllowOrigin] = origin
        answer.fields[.accessControlAllowCredentials] = "true"
        guard head.method == .options else { return answer }
        answer.fields[.accessControlAllowMethods] = "GET, POST"
        answer.fields[.accessControlAllowHeaders] = "Content-Type"
        answer.fields[.accessControlMaxAge] = "86400"
        return answer
    }
}
