import HTTPTypes
import LogEngine
import NIOCore

/// Plain requests of browsers: what most send, and nothing else.
struct PlainBrowsers: PlainAnswering {
    struct Waiting {
        fileprivate let request: Request
        fileprivate let visit: Visit
        fileprivate let events: WebheadService.NewEvents
    }

    /// What of a request its answer depends on.
    fileprivate struct Request {
        let form: PlainForm
        let origin: String?
    }

    private static let post = PlainForm(.post, Route.eventsPath)
    private static let context = PlainForm(.get, WebheadRoute.contextPath)

    private let service: WebheadService
    private let limits: ConnectionLimits

    init(_ service: WebheadService, _ limits: ConnectionLimits) { (self.service, self.limits) = (service, limits) }

    var answers: AnswerBoard { service.answers }

    func take(_ bytes: ByteBuffer, through channel: any Channel) -> PlainTaken<Waiting>? {
        guard service.side == .browsers, !service.isStopping else { return nil }
        let found = bytes.withUnsafeReadableBytes { bytes in
            find(bytes).map { form, plain in (form, plain, BrowserFields(plain.fields(in: bytes))) }
        }
        guard let (form, plain, fields) = found,
            let body = bytes.getSlice(at: bytes.readerIndex + plain.headBytes, length: plain.bodyBytes)
        else { return nil }
        let request = Request(form: form, origin: fields.origin)
        var visit = service.visit(form.method == .post ? .storeEvents : .sessionContext)
        let next: PlainTaken<Waiting>.Next
        switch posted(form, fields, body, &visit, from: channel) {
        case .answered(let answer): next = .answer(self.bytes(of: answer, to: request, visit))
        case .stored(let events):
            next = .store(Waiting(request: request, visit: visit, events: events))
        }
        return PlainTaken(byteCount: plain.byteCount, next: next)
    }

    private func find(_ bytes: UnsafeRawBufferPointer) -> (PlainForm, PlainRequest)? {
        for form in [Self.post, Self.context] {
            if let request = PlainRequest(bytes, form, limits, byteLimit: service.bodyBytes) { return (form, request) }
        }
        return nil
    }

    private func posted(
        _ form: PlainForm, _ fields: BrowserFields, _ body: ByteBuffer, _ visit: inout Visit,
        from channel: any Channel
    ) -> WebheadService.Posted {
        do throws(Problem) {
            try visit.enter(service.gate, Client(channel.remoteAddress))
            return form.method == .post
                ? try service.post(fields, body) : .answered(service.intake.context(fields))
        } catch {
            return .answered(service.refuse(error))
        }
    }

    func store(_ waiting: Waiting, completion: @escaping AppendCompletion) -> ByteBuffer? {
        service.intake.log.append(waiting.events.lines, delivery: nil, completion: completion)
        return nil
    }

    func answer(_ waiting: Waiting, to result: Result<AppendOutcome, StoreError>) -> ByteBuffer {
        bytes(of: service.answer(waiting.events, to: result), to: waiting.request, waiting.visit)
    }

    private func bytes(of answer: ShortAnswer, to request: Request, _ visit: Visit) -> ByteBuffer {
        service.end(visit, answer, request.form.method)
        let finished = service.finished(
            answer, request.form.method, path: request.form.path, origin: request.origin)
        return AnswerBytes.answer(service.head(finished), finished.body)
    }
}
