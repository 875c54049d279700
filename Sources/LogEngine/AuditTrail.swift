import SegmentFormat
import Synchronization

/// A line of the stream `audit`.
public struct AuditEntry: Sendable {
    /// One JSON object, without its LF.
    public let line: String
    /// Milliseconds since 1970.
    public let time: UInt64

    public init(line: String, time: UInt64) {
        self.line = line
        self.time = time
    }
}

/// Appends records to the stream `audit` of a data directory, whose lock the caller's own stream guards.
public final class AuditTrail: Sendable {
    private let directory: String
    private let environment: Environment
    private let held = Mutex<EventLog?>(nil)

    init(directory: String, environment: Environment) {
        self.directory = directory
        self.environment = environment
    }

    private static var options: LogOptions {
        var options = LogOptions()
        options.stream = .audit
        // A record has to find room on a full disk.
        options.reserveBytes = 0
        return options
    }

    /// Durable when it returns, which takes the thread that long.
    ///
    /// - Parameter keepsOpen: further records are to come soon: the stream is closed with the log whose trail this is.
    public func append(_ entries: [AuditEntry], keepsOpen: Bool = false) throws(StoreError) {
        try held.withLock { (held) throws(StoreError) in
            if let log = held {
                do throws(StoreError) {
                    return try Self.append(entries, to: log)
                } catch {
                    // What made it fail may be over, and a log that was poisoned works when it is opened anew.
                    held = nil
                    _ = Result { () throws(StoreError) in try log.closeAndWait() }
                }
            }
            let log = try EventLog.open(directory, options: Self.options, environment: environment)
            let appended = Result { () throws(StoreError) in try Self.append(entries, to: log) }
            if keepsOpen, case .success = appended {
                held = log
                return
            }
            let closed = Result { () throws(StoreError) in try log.closeAndWait() }
            try appended.get()
            try closed.get()
        }
    }

    /// The same on a thread of its own, for records that have others behind them.
    public func record(_ entries: [AuditEntry]) async throws(StoreError) {
        try await JobThread.run(JobControl()) { [self] () throws(StoreError) in try append(entries, keepsOpen: true) }
    }

    private static func append(_ entries: [AuditEntry], to log: EventLog) throws(StoreError) {
        let batch = LineBatch(capacity: entries.reduce(0) { $0 + $1.line.utf8.count + 1 })
        for entry in entries {
            var line = entry.line
            line.withUTF8 { batch.append(UnsafeRawBufferPointer($0), bucket: log.resolution.bucket(of: entry.time)) }
        }
        let answer = Answer<Result<AppendOutcome, StoreError>>()
        log.append(batch, delivery: nil) { answer.give($0) }
        _ = try answer.wait().get()
    }

    private func release() -> EventLog? {
        held.withLock { held in
            defer { held = nil }
            return held
        }
    }

    func close() async throws(StoreError) { try await release()?.close() }

    /// The same for a thread that may block.
    func closeAndWait() throws(StoreError) { try release()?.closeAndWait() }
}
