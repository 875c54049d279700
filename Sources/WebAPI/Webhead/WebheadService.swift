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
        /// What is asked blocks.
        case later(@Sendable () -> ShortAnswer)
        /// Once these are durable.
        case stored(NewEvents)
    }

    /// What becomes of a post.
    enum Posted {
        case answered(ShortAnswer)
        case stored(NewEvents)
    }

    /// What a browser brought, on its way to the spool.
    struct NewEvents {
        let lines: LineBatch
        let changes: [BlobChange: Int]
        let admission: Admission
    }

    /// Whom a listener is for.
    enum Side: Sendable {
        case browsers
        /// Those who run the webhead: health and metrics alone.
        case operators
    }

    let intake: BrowserIntake
    let metrics: Metrics
    let gate: RequestGate
    let answers: AnswerBoard
    private let drain: Drain
    private let failures: FailureLog
    let side: Side
    let date: HTTPDate
    let bodyBytes: Int

    init(
        _ intake: BrowserIntake, _ metrics: Metrics, _ requests: RequestLimits, _ drain: Drain, _ failures: FailureLog,
        _ side: Side, _ date: HTTPDate
    ) {
        let log = intake.log
        (self.intake, self.metrics, self.side, self.date) = (intake, metrics, side, date)
        (self.drain, self.failures) = (drain, failures)
        gate = RequestGate(requests, drain, uptime: { log.uptime() })
        answers = AnswerBoard(log)
        bodyBytes = min(intake.options.bodyBytes, requests.bodyBytes)
    }

    var isStopping: Bool { drain.isStopping }

    // MARK: - Visits

    func visit(_ head: HTTPRequest) -> Visit { visit(Endpoint(head.method, path: try? Self.path(of: head))) }

    func visit(_ endpoint: Endpoint) -> Visit { Visit(to: endpoint, metrics.requests, now: intake.log.uptime()) }

    func end(_ visit: Visit, _ answer: ShortAnswer, _ method: HTTPRequest.Method) {
        if method != .head { metrics.counters.send(bytes: answer.body.readableBytes) }
        visit.answer(answer.status, now: intake.log.uptime())
        visit.end()
    }

    private static func path(of head: HTTPRequest) throws(Problem) -> NormalPath {
        let target = head.path ?? ""
        let path = target.utf8.firstIndex(of: UInt8(ascii: "?")).map { String(target[..<$0]) } ?? target
        do throws(NormalPath.Fault) { return try NormalPath(path) } catch { throw Problem(error) }
    }

    // MARK: - Answers

    func answer(
        _ head: HTTPRequest, _ body: ByteBuffer, _ visit: inout Visit, from client: @autoclosure () -> Client
    ) -> Reply {
        do throws(Problem) {
            let route = Result { () throws(Problem) in
                try WebheadRoute(head.method, path: try Self.path(of: head), side)
            }
            // The limits hold for what there is not, too.
            if (try? route.get())?.isForOperators != true { try visit.enter(gate, client()) }
            guard head.isFramedSoundly else { throw .badFraming }
            switch try route.get() {
            case .context: return .now(intake.context(BrowserFields(head.headerFields)))
            case .post:
                switch try post(BrowserFields(head.headerFields), body) {
                case .answered(let answer): return .now(answer)
                case .stored(let events): return .stored(events)
                }
            case .ping: return .now(.text("pong"))
            case .isAlive: return .now(.text("ok"))
            case .isReady: return .later { readiness() }
            case .version: return .now(.version)
            case .metrics: return .later { ShortAnswer(.ok, TextExposition.mediaType, metrics.exposition()) }
            case .options(let methods): return .now(.options(methods))
            }
        } catch {
            return .now(refuse(error))
        }
    }

    func post(_ fields: BrowserFields, _ body: ByteBuffer) throws(Problem) -> Posted {
        metrics.counters.receive(bytes: body.readableBytes)
        switch try intake.decide(fields, body) {
        case .dropped(let reason, let blobs):
            metrics.counters.refuse(reason, events: blobs)
            return .answered(Self.success)
        case .store(let batch, let admission, let changes):
            guard !batch.isEmpty else { return .answered(Self.success) }
            return .stored(NewEvents(lines: batch, changes: changes, admission: admission))
        }
    }

    /// Once the outcome is known. Never 500: browsers keep what they could not bring (SPEC Z3).
    func answer(_ events: NewEvents, to result: Result<AppendOutcome, StoreError>) -> ShortAnswer {
        events.admission.release()
        switch result {
        case .success(let outcome):
            metrics.counters.accept(outcome.accepted, discarding: outcome.discarded)
            metrics.webhead?.count(events.changes)
            return Self.success
        case .failure(let error):
            var problem = error.code == .noSpace ? Problem.spoolFull : .brokenWebhead
            problem.events = events.lines.lineCount
            return refuse(problem, for: error)
        }
    }

    private static let success = ShortAnswer(.ok, MediaType.json, ByteBuffer(string: #"{"success":true}"# + "\n"))

    func refuse(_ problem: Problem) -> ShortAnswer { refuse(problem, for: problem) }

    private func refuse(_ problem: Problem, for error: any Error) -> ShortAnswer {
        metrics.counters.refuse(problem.reason, events: problem.events ?? 0)
        var answer = ShortAnswer(problem)
        if problem.status.kind == .serverError { answer.fields[.requestID] = failures.tell(problem, error) }
        return answer
    }

    // MARK: - Health

    /// Blocks on the file system.
    private func readiness() -> ShortAnswer {
        let readiness = Readiness(intake.log, isStopping: drain.isStopping)
        guard readiness.obstacles.isEmpty else { return readiness.answer }
        switch intake.surroundings.health() {
        case .well: return .text("ok")
        case .degraded(let reason): return .text("degraded: \(reason)")
        case .full:
            var problem = Problem.spoolFull
            problem.status = .serviceUnavailable
            return ShortAnswer(problem)
        }
    }

    // MARK: - Fields of every answer

    func head(_ answer: ShortAnswer) -> HTTPResponse {
        var head = HTTPResponse(status: answer.status, headerFields: answer.fields)
        head.headerFields[.date] = date.now
        return head
    }

    /// What every answer to a browser has.
    func finished(_ answer: ShortAnswer, for head: HTTPRequest) -> ShortAnswer {
        finished(answer, head.method, path: head.path, origin: head.headerFields[.origin])
    }

    func finished(
        _ answer: ShortAnswer, _ method: HTTPRequest.Method, path: String?, origin: String?
    ) -> ShortAnswer {
        guard side == .browsers else { return answer }
        var answer = answer
        if path?.hasPrefix("/wsapi") == true { answer.fields[.cacheControl] = "no-cache, max-age=0" }
        guard !intake.options.origins.isEmpty else { return answer }
        answer.fields[.vary] = "Origin"
        guard let origin, intake.options.origins.contains(origin) else { return answer }
        answer.fields[.accessControlAllowOrigin] = origin
        answer.fields[.accessControlAllowCredentials] = "true"
        guard method == .options else { return answer }
        answer.fields[.accessControlAllowMethods] = "GET, POST"
        answer.fields[.accessControlAllowHeaders] = "Content-Type"
        answer.fields[.accessControlMaxAge] = "86400"
        return answer
    }
}
