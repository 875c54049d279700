import SegmentFormat

/// Batches that servers have refused, by first sequence. Each rests before it is sent again, longer every time.
struct Refusals: Sendable {
    private var all: [Sequence: (count: Int, notBefore: Int64)] = [:]

    var count: Int { all.count }

    /// When each may be sent again.
    var times: [Int64] { all.values.map(\.notBefore) }

    func allows(_ first: Sequence, at ticks: Int64) -> Bool { all[first].map { $0.notBefore <= ticks } ?? true }

    mutating func add(_ first: Sequence, at ticks: Int64, _ backoff: inout Backoff) {
        let count = (all[first]?.count ?? 0) + 1
        all[first] = (count, ticks + backoff.pause(failures: count + Self.skippedPauses))
    }

    mutating func drop(_ first: Sequence) { all[first] = nil }

    mutating func dropAll() { all = [:] }

    /// What is wrong with a batch is not over as soon as a failure of a server.
    private static let skippedPauses = 4
}
