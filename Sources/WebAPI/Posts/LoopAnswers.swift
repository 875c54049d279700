import LogEngine
import NIOCore
import Synchronization

// A commit answers many POSTs at once. To wake the event loop for each, and to wake each client before the next one
// has its answer, costs more than the answers. So those of a commit come to their loop together; there all are
// written before any is sent. So it is with what needs no commit: all that the loop has read is answered first.

/// Who waits for the outcome of a POST.
protocol PostAnswering: AnyObject {
    /// Writes the answer.
    func finish(_ result: Result<AppendOutcome, StoreError>)
    /// Sends what was written.
    func sendAnswer()
}

/// The outcomes that one event loop is to be told.
final class LoopAnswers: Sendable {
    private typealias Outcome = (poster: NIOLoopBound<any PostAnswering>, result: Result<AppendOutcome, StoreError>)

    private let loop: any EventLoop
    private let outcomes = Mutex<[Outcome]>([])
    private let unsent: NIOLoopBoundBox<[any PostAnswering]>

    init(_ loop: any EventLoop) {
        self.loop = loop
        unsent = .makeBoxSendingValue([], eventLoop: loop)
    }

    /// On the loop itself. What was written is sent when all is answered that the loop has read.
    func sendLater(_ poster: any PostAnswering) {
        if unsent.value.isEmpty { loop.execute { self.send() } }
        unsent.value.append(poster)
    }

    private func send() {
        let posters = unsent.value
        unsent.value = []
        for poster in posters { poster.sendAnswer() }
    }

    /// From any thread. They are told at the next `ring`, but at once where this is the loop itself, as nothing was
    /// committed then.
    func put(_ result: Result<AppendOutcome, StoreError>, for poster: NIOLoopBound<any PostAnswering>) {
        outcomes.withLock { $0.append((poster, result)) }
        if loop.inEventLoop { ring() }
    }

    func ring() {
        guard outcomes.withLock({ !$0.isEmpty }) else { return }
        loop.execute { self.tell() }
    }

    private func tell() {
        let told = outcomes.withLock { outcomes in
            defer { outcomes = [] }
            return outcomes
        }
        for (poster, result) in told { poster.value.finish(result) }
        for (poster, _) in told { poster.value.sendAnswer() }
    }
}

/// Those of each event loop that serves a log.
final class AnswerBoard: Sendable {
    private let loops = Mutex<[ObjectIdentifier: LoopAnswers]>([:])

    init(_ logs: EventLog...) {
        for log in logs { log.afterEachCommit { [weak self] in self?.ring() } }
    }

    func answers(of loop: any EventLoop) -> LoopAnswers {
        loops.withLock { loops in
            if let answers = loops[ObjectIdentifier(loop)] { return answers }
            let answers = LoopAnswers(loop)
            loops[ObjectIdentifier(loop)] = answers
            return answers
        }
    }

    private func ring() {
        for answers in loops.withLock({ Array($0.values) }) { answers.ring() }
    }
}
