import LogEngine
import SegmentFormat

// What the calls that write do. Each returns when it is durable and every call sees it.

extension UserStore {
    /// The body of `/api/add_log`.
    public func entry(_ body: UnsafeRawBufferPointer) throws(BodyFault) -> LogEntry {
        try door.addLog(body, now: now)
    }

    /// The body of `/api/add_logs`; more entries than a batch holds where there are more.
    public func entries(_ body: UnsafeRawBufferPointer, isNDJSON: Bool) throws(BodyFault) -> [LogEntry] {
        try door.addLogs(body, isNDJSON: isNDJSON, atMost: Bounds.batchLines, now: now)
    }

    /// The body of `/api/set_last_login`.
    public func lastLogin(_ body: UnsafeRawBufferPointer) throws(BodyFault) -> LastLogin {
        try door.setLastLogin(body, now: now)
    }

    /// By which a body that comes again under the name of a delivery is known.
    public func fingerprint(of body: UnsafeRawBufferPointer) -> Hash128 { key.body(body) }

    /// Stores entries, all of them or none.
    @discardableResult
    public func add(_ entries: [LogEntry], delivery: Delivery? = nil) async throws(StoreError) -> AppendOutcome {
        try await append(entries, to: logins, devices, delivery)
    }

    /// Stores when an account last used a service. Where a later time, or the same, is known, nothing is to be done.
    @discardableResult
    public func set(_ login: LastLogin, delivery: Delivery? = nil) async throws(StoreError) -> AppendOutcome? {
        guard last.read({ $0.isNews(login) }) else { return nil }
        return try await append([login], to: lastLogins, last, delivery)
    }

    /// The same of many, of which those that are news are stored together; `nil` where none is.
    @discardableResult
    public func set(_ logins: [LastLogin], delivery: Delivery? = nil) async throws(StoreError) -> AppendOutcome? {
        let news = last.read { view in logins.filter { view.isNews($0) } }
        return news.isEmpty ? nil : try await append(news, to: lastLogins, last, delivery)
    }

    /// The same for those who cannot wait. `completion` is called on a thread that must not be held up.
    public func add(_ entries: [LogEntry], delivery: Delivery?, completion: @escaping AppendCompletion) {
        append(entries, to: logins, devices, delivery, completion)
    }

    /// `false` where nothing is to be done; `completion` is not called then.
    public func set(_ login: LastLogin, delivery: Delivery?, completion: @escaping AppendCompletion) -> Bool {
        guard last.read({ $0.isNews(login) }) else { return false }
        append([login], to: lastLogins, last, delivery, completion)
        return true
    }

    private func append<View>(
        _ entries: [View.Entry], to log: EventLog, _ view: LiveView<View>, _ delivery: Delivery?
    ) async throws(StoreError) -> AppendOutcome {
        let result: Result<AppendOutcome, StoreError> = await withUnsafeContinuation { continuation in
            append(entries, to: log, view, delivery) { continuation.resume(returning: $0) }
        }
        return try result.get()
    }

    private func append<View>(
        _ entries: [View.Entry], to log: EventLog, _ view: LiveView<View>, _ delivery: Delivery?,
        _ completion: @escaping AppendCompletion
    ) {
        let batch = LineBatch(capacity: entries.count * 256)
        for entry in entries { entry.append(to: batch, key) }
        log.append(batch, delivery: delivery) { result in
            if case .success(let outcome) = result { view.fold(entries, outcome) }
            completion(result)
        }
    }

    /// Erases all that there is of a user by now; a receipt in the stream `audit` says so, and not who it was. Who
    /// comes again begins afresh. Where it fails some of it may be done, and it can be repeated.
    public func erase(_ username: [UInt8]) async throws(StoreError) {
        let user = key.user(username)
        try await logins.erase(user) { [devices] in devices.erase(username) }
        try await lastLogins.erase(user) { [last] in last.erase(username) }
        let time = logins.resolution.bucket(of: now).milliseconds
        let receipt = AuditEntry(line: Self.receipt(user, time), time: time)
        try await logins.audit.record([receipt])
    }

    private static func receipt(_ user: Hash128, _ time: UInt64) -> String {
        var json = JSONWriter()
        json.open("{")
        json.name("timestamp")
        json.integer(time)
        json.name("type")
        json.string("erase")
        json.name("streams")
        json.strings([StreamName.logins, .lastLogins].map { Array($0.description.utf8) })
        json.name("subject")
        json.hash(user)
        json.close("}")
        return String(decoding: json.bytes, as: UTF8.self)
    }
}
