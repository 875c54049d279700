import HTTPTypes
import LogEngine

/// Whether a log takes events, and if not, why.
struct Readiness: Equatable, Sendable {
    struct Obstacle: Equatable, Sendable {
        /// A token that never changes.
        let reason: String
        let detail: String
    }

    /// A commit takes milliseconds; on a disk that is busy, a second. In nanoseconds.
    static let longestCommit: UInt64 = 30_000_000_000

    let obstacles: [Obstacle]

    /// Asks the file system, which blocks.
    init(_ log: EventLog, isStopping: Bool) {
        self.init(log.health, holdsLock: log.holdsLock, isStopping: isStopping)
    }

    init(_ health: LogHealth, holdsLock: Bool, isStopping: Bool = false) {
        var obstacles: [Obstacle] = []
        if isStopping { obstacles.append(Obstacle(reason: "stopping", detail: "the server is about to end")) }
        if let failure = health.failure {
            obstacles.append(
                Obstacle(reason: Problem.reason(of: failure.code), detail: "not writing any more: \(failure.message)"))
        }
        if health.committerNanoseconds > Self.longestCommit {
            let seconds = health.committerNanoseconds / 1_000_000_000
            obstacles.append(Obstacle(reason: "stalled", detail: "the disk has not answered for \(seconds) s"))
        }
        if let free = health.freeBytes, free < health.leastFreeBytes {
            let least = health.leastFreeBytes
            obstacles.append(
                Obstacle(reason: "no_space", detail: "\(free) bytes are free, and appends leave \(least)"))
        }
        if !holdsLock {
            obstacles.append(
                Obstacle(reason: "lock_lost", detail: "LOCK was removed or replaced: another process may write"))
        }
        self.obstacles = obstacles
    }

    var answer: ShortAnswer {
        guard let first = obstacles.first else { return .text("ok") }
        var problem = Problem(
            .serviceUnavailable, first.reason, obstacles.map(\.detail).joined(separator: "; "))
        problem.extras = [("reasons", .list(obstacles.map(\.reason)))]
        return ShortAnswer(problem)
    }
}
