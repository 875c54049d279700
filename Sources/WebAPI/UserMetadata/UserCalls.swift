import HTTPTypes
import HummingbirdCore
import LogEngine
import NIOCore
import NIOPosix
import UserMetadata

/// Answers the calls of the role `user-metadata`.
struct UserCalls: Sendable {
    /// What a call gave away of whom, for the record.
    struct Reading: Sendable {
        /// `nil`: of nobody in particular.
        var subject: [UInt8]?
        var events: Int
    }

    private typealias Answered = (body: [UInt8], reading: Reading?)

    let store: UserStore
    let blocking: NIOThreadPool
    let counters: Counters
    let bodyLimit: Duration
    /// Bytes of a body.
    let byteLimit: Int

    /// Throws a `Problem` where nothing was done.
    func answer(
        _ call: UserCall, _ request: Request, continuing writer: borrowing ResponseWriter
    ) async throws -> (answer: ShortAnswer, reading: Reading?) {
        do {
            let isNDJSON = try Self.isNDJSON(call, request.headers)
            let key = try DeliveryKey(request.headers)
            var reader = try BodyReader(request.headers, limit: bodyLimit, bytes: byteLimit)
            defer { counters.receive(bytes: reader.received) }
            let admission = try await store.logins.admit(reader.admitted)
            defer { admission.release() }
            if request.headers[.expect]?.lowercased() == "100-continue" {
                try await writer.writeInformationalHead(HTTPResponse(status: .continue))
            }
            let body = try await reader.read(request.body, admission)
            let answered =
                if body.readableBytes <= EventIntake.loopBytes {
                    try await self.answer(call, body, isNDJSON, key)
                } else {
                    try await withTaskExecutorPreference(globalConcurrentExecutor) {
                        try await self.answer(call, body, isNDJSON, key)
                    }
                }
            var answer = ShortAnswer(.ok, MediaType.json, ByteBuffer(bytes: answered.body))
            answer.fields[.cacheControl] = "no-store"
            return (answer, answered.reading)
        } catch let error as StoreError {
            throw Problem(ofUsers: error)
        }
    }

    private static func isNDJSON(_ call: UserCall, _ fields: HTTPFields) throws(Problem) -> Bool {
        let type = fields[.contentType].map(MediaType.essence)
        if type == MediaType.ndjson, call == .addLogs { return true }
        guard type == MediaType.json else {
            throw .wrongMediaType(call == .addLogs ? "\(MediaType.json) and \(MediaType.ndjson)" : MediaType.json)
        }
        return false
    }

    private func answer(
        _ call: UserCall, _ body: ByteBuffer, _ isNDJSON: Bool, _ key: DeliveryKey?
    ) async throws -> Answered {
        switch call {
        case .addLog:
            let entry = try read(body, events: 1) { (bytes) throws(BodyFault) in try store.entry(bytes) }
            return try await add([entry], body, key)
        case .addLogs:
            let entries = try read(body) { (bytes) throws(BodyFault) in
                try store.entries(bytes, isNDJSON: isNDJSON)
            }
            guard entries.count <= Bounds.batchLines else { throw Problem.tooManyEvents(entries.count) }
            return try await add(entries, body, key)
        case .setLastLogin:
            let login = try read(body, events: 1) { (bytes) throws(BodyFault) in try store.lastLogin(bytes) }
            let outcome = try await store.set(login, delivery: delivery(key, body, store.lastLogins))
            count(outcome)
            return (Answers.empty, nil)
        case .eraseUser:
            try await store.erase(try read(body, UserQuestion.init).username)
            return (Answers.empty, nil)
        case .userLogs:
            let question = try read(body, UserLogsQuestion.init)
            // What the disk has to be asked for.
            let page = try await blocking.runIfActive { [store] in try store.logs(question) }
            return (page.body, Reading(subject: question.username, events: page.entries))
        case .userDevices:
            let question = try read(body, UserQuestion.init)
            return (store.devices(question), Reading(subject: question.username, events: 1))
        case .checkDevice:
            let question = try read(body) { (bytes) throws(BodyFault) in try store.deviceQuestion(bytes) }
            return (store.check(question), Reading(subject: question.username, events: 1))
        case .lastLogin:
            let question = try read(body, LastLoginQuestion.init)
            return (store.lastLogins(question), Reading(subject: question.username, events: 1))
        case .unusedAccounts:
            let question = try read(body, UnusedAccountsQuestion.init)
            // All accounts take longer to look through than others on this event loop are to wait.
            let answer = try await blocking.runIfActive { [store] in store.unused(question) }
            return (answer.body, Reading(events: answer.accounts))
        }
    }

    private func add(_ entries: [LogEntry], _ body: ByteBuffer, _ key: DeliveryKey?) async throws -> Answered {
        count(try await store.add(entries, delivery: delivery(key, body, store.logins)))
        return (Answers.empty, nil)
    }

    private func delivery(_ key: DeliveryKey?, _ body: ByteBuffer, _ log: EventLog) -> Delivery? {
        key?.delivery(secret: log.deliverySecret) { body.withUnsafeReadableBytes { store.fingerprint(of: $0) } }
    }

    /// - Parameter outcome: `nil` where nothing had to be stored.
    private func count(_ outcome: AppendOutcome?) {
        guard let outcome else { return }
        if outcome.isRepeat {
            counters.repeat()
        } else {
            counters.accept(outcome.accepted, discarding: outcome.discarded)
        }
    }

    /// - Parameter events: that are refused where the body is.
    private func read<Value>(
        _ body: ByteBuffer, events: Int? = nil, _ take: (UnsafeRawBufferPointer) throws(BodyFault) -> Value
    ) throws(Problem) -> Value {
        let result = body.withUnsafeReadableBytes { bytes in Result { () throws(BodyFault) in try take(bytes) } }
        do throws(BodyFault) { return try result.get() } catch { throw Problem(error, events: events) }
    }

    private func read<Value>(
        _ body: ByteBuffer, _ take: (UnsafeRawBufferPointer) throws(BodyFault) -> Value
    ) throws(Problem) -> Value {
        try read(body, events: nil, take)
    }
}
