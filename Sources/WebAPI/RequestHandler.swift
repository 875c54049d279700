import HTTPTypes
import HummingbirdCore
import LogEngine
import Logging
import NIOCore
import NIOPosix

/// Answers every request: finds what it is for, has it answered, and writes the answer.
struct RequestHandler: Sendable {
    let log: EventLog
    let blocking: NIOThreadPool
    let metrics: Metrics
    let logger: Logger
    /// The longest silence of a stream of changes.
    let heartbeat: Duration
    let role: Role
    let access: AccessPolicy
    /// `nil` where accesses are not recorded.
    let audit: AccessAudit?
    let limits: ConnectionLimits
    let streams: ClientStreams
    let requests: RequestLimits
    let drain: Drain
    let gate: RequestGate
    let failures: FailureLog
    let answers: AnswerBoard
    /// `nil` where the listener serves none.
    let users: UserCalls?
    let date = HTTPDate()
    let places = ScanPlaces()

    /// - Parameters:
    ///   - metrics: where all listeners of the log count.
    ///   - limits: those of connections that this process can keep to.
    init(
        log: EventLog, blocking: NIOThreadPool, metrics: Metrics, logger: Logger, options: Server.Options,
        limits: ConnectionLimits
    ) {
        self.log = log
        self.blocking = blocking
        self.metrics = metrics
        self.logger = logger
        heartbeat = options.heartbeat
        role = options.role
        access = options.access
        audit = options.audit
        self.limits = limits
        streams = ClientStreams(limits.streamsPerClient)
        requests = options.listener.requests
        drain = options.listener.drain
        gate = RequestGate(requests, drain, uptime: { log.uptime() })
        failures = FailureLog(logger, uptime: { log.uptime() })
        answers = options.users.map { AnswerBoard($0.logins, $0.lastLogins) } ?? AnswerBoard(log)
        users = options.users.map {
            UserCalls(
                store: $0, blocking: blocking, counters: metrics.counters, bodyLimit: limits.body,
                byteLimit: options.listener.requests.bodyBytes)
        }
    }

    var counters: Counters { metrics.counters }
    var intake: EventIntake {
        EventIntake(log: log, counters: counters, bodyLimit: limits.body, byteLimit: requests.bodyBytes)
    }
    var reader: EventReader { EventReader(log: log, blocking: blocking, places: places) }

    /// `nil` for a request that is none, or that this listener does not take.
    func smallPost(_ head: HTTPRequest, through channel: any Channel) -> SmallPost? {
        guard role.servesEvents, !drain.isStopping, let post = SmallPost(head, byteLimit: requests.bodyBytes) else {
            return nil
        }
        // Who is refused is told so where all are.
        return grant(Route.storeEvents.need, { head }, through: channel) == nil ? nil : post
    }

    func respond(
        to request: Request, writer: consuming ResponseWriter, channel: any Channel
    ) async throws {
        var visit = visit(to: Endpoint(request.method, path: try? NormalPath(request.uri.path)))
        let isLast = request.head.asksForOtherProtocol
        switch try await answer(to: request, &visit, from: channel, continuing: writer) {
        case .short(let answer):
            if request.method != .head { counters.send(bytes: answer.body.readableBytes) }
            try await write(answer, visit, isLast: isLast, to: writer)
        case .fields(let fields):
            end(visit, .ok)
            try await writer.writeResponse(head(.ok, fields, isLast: isLast))
        case .events(let answer):
            let head = head(.ok, answer.fields, isLast: isLast)
            let origin = try await origin(of: channel, visit)
            guard answer.follow != nil, !origin.isStream else {
                return try await stream(answer, head, visit, origin, to: writer)
            }
            guard let stream = streams.take(origin.peer.address) else {
                return try await write(refused(.tooManyStreams), visit, isLast: isLast, to: writer)
            }
            try await self.stream(answer, head, visit, origin, to: writer)
            withExtendedLifetime(stream) {}
        }
    }

    func visit(to endpoint: Endpoint) -> Visit { Visit(to: endpoint, metrics.requests, now: log.uptime()) }

    func end(_ visit: Visit, _ status: HTTPResponse.Status) {
        visit.answer(status, now: log.uptime())
        visit.end()
    }

    private func answer(
        to request: Request, _ visit: inout Visit, from channel: any Channel,
        continuing writer: borrowing ResponseWriter
    ) async throws -> Answer {
        do {
            if visit.endpoint.isLimited { try visit.enter(gate, Client(channel.remoteAddress)) }
            return try await answer(to: request, continuing: writer, channel: channel)
        } catch let problem as Problem {
            return .short(refused(problem))
        } catch {
            visit.end()
            throw error
        }
    }

    private func origin(of channel: any Channel, _ visit: Visit) async throws -> RequestOrigin {
        do {
            return try await RequestOrigin(channel)
        } catch {
            visit.end()
            throw error
        }
    }

    private func write(
        _ answer: ShortAnswer, _ visit: Visit, isLast: Bool, to writer: consuming ResponseWriter
    ) async throws {
        end(visit, answer.status)
        let head = head(answer.status, answer.fields, isLast: isLast)
        try await writer.write(response: head, body: ResponseBody(byteBuffer: answer.body))
    }

    private func stream(
        _ answer: EventAnswer, _ head: HTTPResponse, _ visit: Visit, _ origin: RequestOrigin,
        to writer: consuming ResponseWriter
    ) async throws {
        counters.beginStreaming()
        defer { counters.endStreaming() }
        defer { answer.access.map { audit?.add($0, times: 0, events: UInt64(answer.pieces.count)) } }
        defer { visit.end() }
        if answer.follow != nil { visit.answer(.ok, now: log.uptime()) }
        defer { if answer.follow == nil { visit.answer(.ok, now: log.uptime()) } }
        let streamer = EventStreamer(
            log: log, blocking: blocking, departure: origin.departure, counters: counters,
            limit: requests.scanDuration, drain: drain, logger: logger)
        try await streamer.write(answer, to: try await writer.writeHead(head))
    }

    /// - Parameter isLast: no further request will be read.
    func head(_ status: HTTPResponse.Status, _ fields: HTTPFields, isLast: Bool = false) -> HTTPResponse {
        var head = HTTPResponse(status: status, headerFields: fields)
        if isLast { head.headerFields[.connection] = "close" }
        head.headerFields[.date] = date.now
        return head
    }

    /// Every refusal becomes an answer here. What else is thrown means that the connection is broken.
    private func answer(
        to request: Request, continuing writer: borrowing ResponseWriter, channel: any Channel
    ) async throws -> Answer {
        do {
            guard request.head.isFramedSoundly else { throw Problem.badFraming }
            let (route, who) = try await admit(request) { try await RequestOrigin(channel).peer }
            switch route {
            case .storeEvents: return .short(try await store(request, continuing: writer))
            case .readEvents: return try await read(request, who)
            case .countEvents:
                let range = try EventQuery.range(QueryParameters(request.uri.query))
                let count = try await reader.count(range)
                audit?.read("count", by: who, range: range, events: count.events)
                return .short(count.answer)
            case .readLastEvent:
                let row = try await reader.last()
                audit?.read("last", by: who, events: row == nil ? 0 : 1)
                return .short(ShortAnswer(.ok, MediaType.json, row ?? ByteBuffer(string: "null")))
            case .followChanges: return try await changes(request, who)
            case .ping: return .short(.text("pong"))
            case .isAlive: return .short(.text("ok"))
            case .isReady: return .short(try await readiness())
            case .version: return .short(.version)
            case .metrics: return .short(try await exposition())
            case .describe: return .short(.description(of: role))
            case .user(let call): return .short(try await answer(call, request, who, continuing: writer))
            case .options(let methods): return .short(.options(methods))
            }
        } catch {
            guard let problem = Problem(of: error) else { throw error }
            return .short(refused(problem, for: error))
        }
    }

    private func answer(
        _ call: UserCall, _ request: Request, _ who: Principal?, continuing writer: borrowing ResponseWriter
    ) async throws -> ShortAnswer {
        guard let users else { throw Problem.notFound }
        let (answer, reading) = try await users.answer(call, request, continuing: writer)
        if let reading {
            let subject = reading.subject.map { String(decoding: $0, as: UTF8.self) }
            audit?.read(call.rawValue, by: who, subject: subject, events: reading.events)
        }
        return answer
    }

    /// Counts a refusal.
    private func refused(_ problem: Problem, for error: (any Error)? = nil) -> ShortAnswer {
        counters.refuse(problem.reason, events: problem.events ?? 0)
        return refusal(problem, for: error ?? problem)
    }

    func refusal(_ problem: Problem, for error: any Error) -> ShortAnswer {
        var answer = ShortAnswer(problem)
        if problem.status.kind == .serverError { answer.fields[.requestID] = failures.tell(problem, error) }
        return answer
    }

    private func store(_ request: Request, continuing writer: borrowing ResponseWriter) async throws -> ShortAnswer {
        do {
            return try await intake.take(request, continuing: writer)
        } catch {
            // The intake has counted it, with its events.
            guard let problem = Problem(of: error) else { throw error }
            return refusal(problem, for: error)
        }
    }

    private func read(_ request: Request, _ who: Principal?) async throws -> Answer {
        let parameters = QueryParameters(request.uri.query)
        if let id = try parameters.value("id") {
            let event = try await reader.event(id)
            audit?.read("event", by: who, subject: id, events: event == nil ? 0 : 1)
            let missing = ByteBuffer(string: #"{"error":"Not found"}"# + "\n")
            return .short(ShortAnswer(event == nil ? .notFound : .ok, MediaType.json, event ?? missing))
        }
        let query = try EventQuery(parameters)
        let form = try form(of: query, for: request.headers)
        let ending = EventAnswer.Ending(hasTrailer: request.headers.takesTrailers, hasLine: query.hasEndLine)
        guard !ending.hasLine || form.mediaType == MediaType.ndjson else {
            throw Problem.badParameter("end", "a last line is for \(MediaType.ndjson)")
        }
        let access = audit?.access("events", by: who, range: query.request.range)
        access.map { audit?.add($0, times: 1, events: 0) }
        let snapshot = log.snapshot()
        let tag = try await reader.tag(snapshot, query, form)
        if let tag, tag.matches(request.headers[values: .ifNoneMatch]) { return .short(.notModified(tag, form)) }
        if request.method == .head { return .fields(EventAnswer.fields(form, ending, tag)) }
        var answer = try await reader.answer(query, of: snapshot, form: form, parameters: parameters)
        (answer.ending, answer.tag, answer.access) = (ending, tag, access)
        return .events(answer)
    }

    private func form(of query: EventQuery, for fields: HTTPFields) throws(Problem) -> EventForm {
        guard let form = EventForm(accept: fields[values: .accept]) else { throw .notAcceptable }
        guard form != .frames || query.request.order == .arrival else { throw .notInTimeOrder }
        // A client that follows wants each line as it comes, in no frame that waits for others.
        let isCoded = form == .lines && !query.follows && ContentCoding.wantsZstandard(fields[values: .acceptEncoding])
        return isCoded ? .codedLines : form
    }

    private func changes(_ request: Request, _ who: Principal?) async throws -> Answer {
        let since = try EventQuery.since(QueryParameters(request.uri.query))
        if let since, log.snapshot().hasPurged(after: since) { throw Problem.purged }
        let ending = EventAnswer.Ending(hasTrailer: request.headers.takesTrailers)
        let access = audit?.access("changes", by: who)
        access.map { audit?.add($0, times: 1, events: 0) }
        if request.method == .head { return .fields(EventAnswer.fields(.changes, ending, nil)) }
        var answer = try await reader.changes(after: since, heartbeat: heartbeat)
        (answer.ending, answer.access) = (ending, access)
        return .events(answer)
    }

    private func readiness() async throws -> ShortAnswer {
        let readiness = try await blocking.runIfActive { Readiness(log, isStopping: drain.isStopping) }
        return readiness.answer
    }

    private func exposition() async throws -> ShortAnswer {
        let text = try await blocking.runIfActive { metrics.exposition() }
        return ShortAnswer(.ok, TextExposition.mediaType, text)
    }
}
