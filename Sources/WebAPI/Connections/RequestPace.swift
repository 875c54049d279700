import NIOCore
import NIOHTTPTypes

/// What a connection waits for, and until when. A value: it is told what comes and goes, and when.
struct RequestPace {
    enum Overdue: Equatable {
        /// A header has begun and did not end.
        case header
        /// Silence, or a body that does not end.
        case idle
    }

    private let header: TimeAmount
    private let idle: TimeAmount
    /// Above the limit of bodies that are taken in: those are refused by who reads them.
    private let request: TimeAmount
    private var lastActive: NIODeadline
    /// Of a header that is not here whole.
    private var headerBegan: NIODeadline?
    private var requestBegan: NIODeadline
    private var unanswered = 0
    private var isReading = false
    private var hasPart = false

    init(_ limits: ConnectionLimits, now: NIODeadline) {
        header = TimeAmount(limits.header)
        idle = TimeAmount(limits.idle)
        request = TimeAmount(limits.body + limits.idle)
        (lastActive, requestBegan) = (now, now)
    }

    mutating func read(_ part: HTTPRequestPart, at now: NIODeadline) {
        lastActive = now
        hasPart = true
        headerBegan = nil
        switch part {
        case .head:
            requestBegan = now
            isReading = true
            unanswered += 1
        case .body: break
        case .end: isReading = false
        }
    }

    /// A whole request.
    mutating func take(at now: NIODeadline) {
        lastActive = now
        unanswered += 1
    }

    /// After bytes came in. Where none of them was part of a request that is here, they are of a header that is not.
    ///
    /// - Returns: whether a header has begun.
    mutating func endRead(at now: NIODeadline) -> Bool {
        defer { hasPart = false }
        guard !hasPart, !isReading, unanswered == 0, headerBegan == nil else { return false }
        headerBegan = now
        return true
    }

    /// What is no request is answered too.
    mutating func answer(at now: NIODeadline) {
        unanswered = max(unanswered - 1, 0)
        lastActive = now
    }

    /// `nil` while a request that is here is being answered.
    var deadline: (NIODeadline, Overdue)? {
        if let headerBegan { return (headerBegan + header, .header) }
        if unanswered > 0, !isReading { return nil }
        let silence = lastActive + idle
        return (isReading ? min(silence, requestBegan + request) : silence, .idle)
    }
}
