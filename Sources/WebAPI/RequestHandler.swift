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
    let counters: Counters
    let logger: Logger
    /// The longest silence of a stream of changes.
    let heartbeat: Duration
    let limits: ConnectionLimits
    let streams: ClientStreams
    let date = HTTPDate()
    let places = ScanPlaces()

    var intake: EventIntake { EventIntake(log: log, counters: counters, bodyLimit: limits.body) }
    var reader: EventReader { EventReader(log: log, blocking: blocking, places: places) }

    func respond(
        to request: Request, writer: consuming ResponseWriter, channel: any Channel
    ) async throws {
        let answer = try await answer(to: request, continuing: writer)
        let isLast = request.head.asksForOtherProtocol
        switch answer {
        case .short(let answer):
            let head = head(answer.status, answer.fields, isLast: isLast)
            try await writer.write(response: head, body: ResponseBody(byteBuffer: answer.body))
        case .fields(let fields):
            try await writer.writeResponse(head(.ok, fields, isLast: isLast))
        case .events(let answer):
            let head = head(.ok, answer.fields, isLast: isLast)
            let origin = try await RequestOrigin(channel)
            guard answer.follow != nil, !origin.isStream else {
                return try await stream(answer, head, origin, to: writer)
            }
            guard let stream = streams.take(origin.peer.address) else {
                let problem = Problem.tooManyStreams
                counters.refuse(problem.reason, events: 0)
                let refusal = refusal(problem, for: problem)
                return try await writer.write(
                    response: self.head(refusal.status, refusal.fields, isLast: isLast),
                    body: ResponseBody(byteBuffer: refusal.body))
            }
            try await self.stream(answer, head, origin, to: writer)
            withExtendedLifetime(stream) {}
        }
    }

    private func stream(
        _ answer: EventAnswer, _ head: HTTPResponse, _ origin: RequestOrigin, to writer: consuming ResponseWriter
    ) async throws {
        counters.beginStreaming()
        defer { counters.endStreaming() }
        let streamer = EventStreamer(
            log: log, blocking: blocking, departure: origin.departure, logger: logger)
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
    private func answer(to request: Request, continuing writer: borrowing ResponseWriter) async throws -> Answer {
        do {
            guard request.head.isFramedSoundly else {
                counters.refuse(Problem.badFraming.reason, events: 0)
                throw Problem.badFraming
            }
            switch try Route(request.method, path: request.uri.path) {
            case .storeEvents: return .short(try await store(request, continuing: writer))
            case .readEvents: return try await read(request)
            case .countEvents:
                let range = try EventQuery.range(QueryParameters(request.uri.query))
                return .short(try await reader.count(range))
            case .readLastEvent:
                let row = try await reader.last()
                return .short(ShortAnswer(.ok, MediaType.json, row))
            case .followChanges: return try await changes(request)
            case .ping: return .short(.text("pong"))
            case .isAlive: return .short(.text("ok"))
            case .isReady: return .short(try readiness())
            case .describe: return .short(.description)
            case .options(let methods): return .short(.options(methods))
            }
        } catch {
            guard let problem = Problem(of: error) else { throw error }
            return .short(refusal(problem, for: error))
        }
    }

    func refusal(_ problem: Problem, for error: any Error) -> ShortAnswer {
        if problem.status == .internalServerError { logger.error("\(error)") }
        return ShortAnswer(problem)
    }

    private func store(_ request: Request, continuing writer: borrowing ResponseWriter) async throws -> ShortAnswer {
        try await intake.take(request, continuing: writer)
    }

    private func read(_ request: Request) async throws -> Answer {
        let parameters = QueryParameters(request.uri.query)
        if let id = try parameters.value("id") {
            let event = try await reader.event(id)
            let missing = ByteBuffer(string: #"{"error":"Not found"}"# + "\n")
            return .short(ShortAnswer(event == nil ? .notFound : .ok, MediaType.json, event ?? missing))
        }
        let query = try EventQuery(parameters)
        let form = try form(of: query, for: request.headers)
        let ending = EventAnswer.Ending(hasTrailer: request.headers.takesTrailers, hasLine: query.hasEndLine)
        guard !ending.hasLine || form.mediaType == MediaType.ndjson else {
            throw Problem.badParameter("end", "a last line is for \(MediaType.ndjson)")
        }
        let snapshot = log.snapshot()
        let tag = try await reader.tag(snapshot, query, form)
        if let tag, tag.matches(request.headers[values: .ifNoneMatch]) { return .short(.notModified(tag, form)) }
        if request.method == .head { return .fields(EventAnswer.fields(form, ending, tag)) }
        var answer = try await reader.answer(
            query, of: snapshot, form: form, path: request.uri.path, parameters: parameters)
        (answer.ending, answer.tag) = (ending, tag)
        return .events(answer)
    }

    private func form(of query: EventQuery, for fields: HTTPFields) throws(Problem) -> EventForm {
        guard let form = EventForm(accept: fields[values: .accept]) else { throw .notAcceptable }
        guard form != .frames || query.request.order == .arrival else { throw .notInTimeOrder }
        // A client that follows wants each line as it comes, in no frame that waits for others.
        let isCoded = form == .lines && !query.follows && ContentCoding.wantsZstandard(fields[values: .acceptEncoding])
        return isCoded ? .codedLines : form
    }

    private func changes(_ request: Request) async throws -> Answer {
        let since = try EventQuery.since(QueryParameters(request.uri.query))
        if let since, log.snapshot().hasPurged(after: since) { throw Problem.purged }
        let ending = EventAnswer.Ending(hasTrailer: request.headers.takesTrailers)
        if request.method == .head { return .fields(EventAnswer.fields(.changes, ending, nil)) }
        var answer = try await reader.changes(after: since, heartbeat: heartbeat)
        answer.ending = ending
        return .events(answer)
    }

    private func readiness() throws -> ShortAnswer {
        if let failure = log.health.failure {
            throw Problem(
                .serviceUnavailable, Problem.reason(of: failure.code), "not writing any more: \(failure.message)")
        }
        return .text("ok")
    }
}
