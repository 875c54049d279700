import HTTPTypes
import LogEngine
import NIOCore
import SegmentFormat

// Plain POSTs of events, of those who store them.

extension RequestHandler: PlainAnswering {
    struct Waiting {
        fileprivate let batch: LineBatch
        let admission: Admission
        let body: ByteBuffer
        let visit: Visit
    }

    private static let form = PlainForm(.post, Route.eventsPath, type: "application/x-ndjson")

    /// What will be refused is left to others as well.
    func take(_ bytes: ByteBuffer, through channel: any Channel) -> PlainTaken<Waiting>? {
        guard let post = bytes.withUnsafeReadableBytes({ plainPost($0, through: channel) }),
            let body = bytes.getSlice(at: bytes.readerIndex + post.headBytes, length: post.bodyBytes),
            let batch = try? EventDecoder.decodeSmall(body, resolution: log.resolution), !batch.isEmpty,
            let admission = log.admitNow(body.readableBytes)
        else { return nil }
        var visit = visit(to: .storeEvents)
        do throws(Problem) {
            try visit.enter(gate, Client(channel.remoteAddress))
        } catch {
            return PlainTaken(byteCount: post.byteCount, next: .answer(refuse(error, for: error, events: 0, visit)))
        }
        counters.receive(bytes: body.readableBytes)
        let waiting = Waiting(batch: batch, admission: admission, body: body, visit: visit)
        return PlainTaken(byteCount: post.byteCount, next: .store(waiting))
    }

    private func plainPost(_ bytes: UnsafeRawBufferPointer, through channel: any Channel) -> PlainRequest? {
        guard role.servesEvents, !drain.isStopping,
            let post = PlainRequest(bytes, Self.form, limits, byteLimit: requests.bodyBytes),
            grant(Route.storeEvents.need, { post.head(Self.form, in: bytes) }, through: channel) != nil
        else { return nil }
        return post
    }

    func store(_ waiting: Waiting, completion: @escaping AppendCompletion) -> ByteBuffer? {
        log.append(waiting.batch, delivery: nil, completion: completion)
        return nil
    }

    func answer(_ waiting: Waiting, to result: Result<AppendOutcome, StoreError>) -> ByteBuffer {
        waiting.admission.release()
        do throws(StoreError) {
            let receipt = intake.receipt(of: try result.get())
            end(waiting.visit, .created)
            counters.send(bytes: receipt.readableBytes)
            return AnswerBytes.receipt(receipt, date: date.now)
        } catch {
            let lines = waiting.body.withUnsafeReadableBytes { $0.lineCount }
            return refuse(Problem(error), for: error, events: lines, waiting.visit)
        }
    }

    func refuse(_ problem: Problem, for error: any Error, events: Int, _ visit: Visit) -> ByteBuffer {
        counters.refuse(problem.reason, events: events)
        let answer = refusal(problem, for: error)
        end(visit, answer.status)
        counters.send(bytes: answer.body.readableBytes)
        return AnswerBytes.answer(head(answer.status, answer.fields), answer.body)
    }
}
