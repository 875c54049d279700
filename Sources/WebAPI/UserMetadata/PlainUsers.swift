import HTTPTypes
import LogEngine
import NIOCore
import SegmentFormat
import UserMetadata

/// Plain calls of user metadata: those that store one entry, and those that are answered from memory.
struct PlainUsers: PlainAnswering {
    struct Waiting {
        fileprivate let entry: PlainEntry
        fileprivate let admission: Admission
        fileprivate let visit: Visit
    }

    private struct Call {
        let call: UserCall
        let request: PlainRequest
        /// Who makes it, where that is known.
        let who: Principal?
    }

    static let forms = [UserCall.addLog, .checkDevice, .lastLogin, .setLastLogin, .userDevices].map { call in
        (call, PlainForm(.post, call.path, type: "application/json"))
    }

    private let handler: RequestHandler
    private let store: UserStore

    init(_ handler: RequestHandler, _ store: UserStore) { (self.handler, self.store) = (handler, store) }

    var answers: AnswerBoard { handler.answers }

    /// What will be refused is left to others as well.
    func take(_ bytes: ByteBuffer, through channel: any Channel) -> PlainTaken<Waiting>? {
        guard !handler.drain.isStopping,
            let call = bytes.withUnsafeReadableBytes({ find($0, through: channel) }),
            let body = bytes.getSlice(at: bytes.readerIndex + call.request.headBytes, length: call.request.bodyBytes),
            let work = body.withUnsafeReadableBytes({ PlainWork(call.call, $0, store) }),
            let admission = handler.log.admitNow(body.readableBytes)
        else { return nil }
        let count = call.request.byteCount
        var visit = handler.visit(to: .of(call.call))
        do throws(Problem) {
            try visit.enter(handler.gate, Client(channel.remoteAddress))
        } catch {
            return PlainTaken(byteCount: count, next: .answer(handler.refuse(error, for: error, events: 0, visit)))
        }
        handler.counters.receive(bytes: body.readableBytes)
        switch work {
        case .store(let entry):
            let waiting = Waiting(entry: entry, admission: admission, visit: visit)
            return PlainTaken(byteCount: count, next: .store(waiting))
        case .ask(let question):
            admission.release()
            return PlainTaken(byteCount: count, next: .answer(answer(question, of: call, visit)))
        }
    }

    private func find(_ bytes: UnsafeRawBufferPointer, through channel: any Channel) -> Call? {
        for (call, form) in Self.forms {
            guard let request = PlainRequest(bytes, form, handler.limits, byteLimit: handler.requests.bodyBytes) else {
                continue
            }
            let need = Route.user(call).need
            return handler.grant(need, { request.head(form, in: bytes) }, through: channel).map { grant in
                Call(call: call, request: request, who: grant.who)
            }
        }
        return nil
    }

    private func answer(_ question: PlainQuestion, of call: Call, _ visit: Visit) -> ByteBuffer {
        let body = question.answer(of: store)
        let subject = String(decoding: question.username, as: UTF8.self)
        handler.audit?.read(call.call.rawValue, by: call.who, subject: subject, events: 1)
        return done(body, visit)
    }

    func store(_ waiting: Waiting, completion: @escaping AppendCompletion) -> ByteBuffer? {
        switch waiting.entry {
        case .log(let entry): store.add([entry], delivery: nil, completion: completion)
        case .lastLogin(let login):
            guard store.set(login, delivery: nil, completion: completion) else {
                // It is known.
                waiting.admission.release()
                return done(Answers.empty, waiting.visit)
            }
        }
        return nil
    }

    func answer(_ waiting: Waiting, to result: Result<AppendOutcome, StoreError>) -> ByteBuffer {
        waiting.admission.release()
        switch result {
        case .success(let outcome):
            handler.counters.accept(outcome.accepted, discarding: outcome.discarded)
            return done(Answers.empty, waiting.visit)
        case .failure(let error):
            return handler.refuse(Problem(ofUsers: error), for: error, events: 1, waiting.visit)
        }
    }

    private func done(_ body: [UInt8], _ visit: Visit) -> ByteBuffer {
        handler.end(visit, .ok)
        handler.counters.send(bytes: body.count)
        return AnswerBytes.user(body, date: handler.date.now)
    }
}
