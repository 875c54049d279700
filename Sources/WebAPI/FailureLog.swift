import LogEngine
import Logging
import SegmentFormat
import Synchronization

/// Tells who runs the server of answers that failed: a few of each reason a minute, so that a full disk does not fill
/// another with lines.
final class FailureLog: Sendable {
    /// Lines of one reason a minute.
    static let most = 10
    private static let minute: UInt64 = 60_000_000_000

    private struct Minute {
        var began: UInt64?
        var failures: [String: Int] = [:]
    }

    private let logger: Logger
    private let uptime: @Sendable () -> UInt64
    private let minute = Mutex(Minute())
    private let next: Atomic<UInt64>

    /// - Parameter uptime: nanoseconds.
    init(_ logger: Logger, uptime: @escaping @Sendable () -> UInt64) {
        self.logger = logger
        self.uptime = uptime
        next = Atomic(.random(in: .min ... .max))
    }

    /// Returns the number of the request, by which its line is found.
    func tell(_ problem: Problem, _ error: any Error) -> String {
        let request = next.wrappingAdd(0x9E37_79B9_7F4A_7C15, ordering: .relaxed).newValue.hex
        if isTold(problem.reason) {
            logger.error(
                "a request failed: \(error is Problem ? problem.detail : "\(error)")",
                metadata: ["request": "\(request)", "status": "\(problem.status.code)", "reason": "\(problem.reason)"])
        }
        return request
    }

    private func isTold(_ reason: String) -> Bool {
        let now = uptime()
        return minute.withLock { minute in
            // Another thread can have read the clock later and come first.
            if minute.began.map({ now >= $0 + Self.minute }) ?? true { minute = Minute(began: now) }
            minute.failures[reason, default: 0] += 1
            return minute.failures[reason, default: 0] <= Self.most
        }
    }
}
