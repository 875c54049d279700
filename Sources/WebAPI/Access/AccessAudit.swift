import LogEngine
import NIOPosix
import SegmentFormat
import Synchronization

/// Records in the stream `audit` who read what and who was refused (SPEC AC13). An access is added up in memory, and a
/// flush in the background makes it durable, so that no request waits for a disk.
public final class AccessAudit: Sendable {
    private static let interval = Duration.seconds(10)

    private let log: EventLog
    private let stream: String
    private let resolution: Resolution
    private let subjectKey: [UInt8]
    private let counters: Counters
    private let now: @Sendable () -> UInt64
    /// Told when records cannot be written, and when they can again.
    private let say: @Sendable (String) -> Void
    private let tally = Mutex(AuditTally())
    private let isFailing = Mutex(false)

    /// - Parameters:
    ///   - log: whose events are read, and which the records stand beside.
    ///   - subjectKey: names what was read; `nil` for the store's own secret.
    ///   - say: is told when records cannot be written, and when they can again.
    public init(
        _ log: EventLog, stream: StreamName, subjectKey: [UInt8]? = nil, counters: Counters,
        now: @escaping @Sendable () -> UInt64,
        say: @escaping @Sendable (String) -> Void
    ) {
        self.log = log
        self.stream = stream.description
        // A bucket of a stream that floors nothing would hold one access.
        resolution = log.resolution.milliseconds > Resolution.tenMinutes.milliseconds ? log.resolution : .tenMinutes
        self.subjectKey = subjectKey ?? KeyedHash.bytes(of: log.deliverySecret)
        self.counters = counters
        self.now = now
        self.say = say
    }

    // MARK: - Accesses

    /// - Parameters:
    ///   - what: `events`, `event`, `count`, `last` or `changes`.
    ///   - events: how many were given, or counted.
    func read(
        _ what: String, by principal: Principal?, range: ClosedRange<UInt64>? = nil, subject: String? = nil,
        times: UInt64 = 1, events: Int
    ) {
        add(access(what, by: principal, range: range, subject: subject), times: times, events: UInt64(events))
    }

    func access(
        _ what: String, by principal: Principal?, range: ClosedRange<UInt64>? = nil, subject: String? = nil
    ) -> AuditedAccess {
        var access = AuditedAccess(kind: .read(what), who: principal?.text)
        if let range {
            access.from = range.lowerBound == 0 ? nil : floored(range.lowerBound)
            access.to = range.upperBound == .max ? nil : floored(range.upperBound)
        }
        access.subject = subject.map { hash($0) }
        return access
    }

    func refuse(_ refusal: AccessRefusal, of principal: Principal?) {
        add(AuditedAccess(kind: .refusal(refusal.rawValue), who: principal?.text), times: 1, events: 0)
    }

    func add(_ access: AuditedAccess, times: UInt64, events: UInt64) {
        let bucket = floored(now())
        tally.withLock { $0.add(access, times: times, events: events, in: bucket) }
    }

    private func floored(_ time: UInt64) -> UInt64 { resolution.bucket(of: time).milliseconds }

    /// Whoever has the key can tell whether it was asked for something; nobody can read off what.
    private func hash(_ subject: String) -> String {
        KeyedHash.of("audit\n" + subject, key: subjectKey).hex
    }

    // MARK: - Records

    /// Flushes again and again until it is cancelled.
    public func run() async {
        while true {
            do { try await Task.sleep(for: Self.interval) } catch { return }
            await flush()
        }
    }

    /// Makes durable what is to be recorded by now; at the end of a server everything.
    public func flush(all: Bool = false) async {
        let bucket = floored(now())
        let records = tally.withLock { $0.take(at: all ? nil : bucket) }
        guard !records.isEmpty else { return }
        let failure = await write(records)
        if failure != nil {
            counters.failAuditFlush(losing: tally.withLock { $0.giveBack(records) })
        }
        tell(failure)
    }

    private func write(_ records: [AuditRecord]) async -> (any Error)? {
        let entries = records.map { AuditEntry(line: $0.line(stream: stream), time: $0.bucket) }
            .sorted { ($0.time, $0.line) < ($1.time, $1.line) }
        let trail = log.audit
        do {
            try await NIOThreadPool.singleton.runIfActive { try trail.append(entries, keepsOpen: true) }
            return nil
        } catch {
            return error
        }
    }

    private func tell(_ failure: (any Error)?) {
        let wasFailing = isFailing.withLock { isFailing in
            defer { isFailing = failure != nil }
            return isFailing
        }
        if let failure, !wasFailing { say("accesses cannot be recorded, and are tried again: \(failure)") }
        if failure == nil, wasFailing { say("accesses are recorded again") }
    }
}
