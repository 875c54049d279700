import Interactions

/// What was stored so far, and the progress line that shows it.
struct IngestTally {
    private var accepted = 0
    private var discarded = 0
    private var repeated = 0
    private(set) var skipped = 0
    private var leftOut: [DumpRow.Reason: Int] = [:]
    private var bytes = 0
    private let console: Console
    private var progress: Progress

    init(_ console: Console) {
        self.console = console
        progress = Progress(console)
    }

    mutating func add(accepted: Int, discarded: Int, bytes: Int) {
        self.accepted += accepted
        self.discarded += discarded
        draw(bytes)
    }

    /// A batch that had been stored before.
    mutating func `repeat`(_ events: Int, bytes: Int) {
        repeated += events
        draw(bytes)
    }

    private mutating func draw(_ bytes: Int) {
        self.bytes += bytes
        let (events, size, seconds) = (accepted + repeated, self.bytes, progress.seconds)
        progress.draw(
            "\(events.grouped) events, \(size.grouped) bytes, \(Int(Double(events) / max(seconds, 0.001)).grouped) events/s"
        )
    }

    mutating func skip(_ refused: [RefusedInput], leaving leftOut: [DumpRow.Reason: Int]) {
        self.leftOut.merge(leftOut, uniquingKeysWith: +)
        guard !refused.isEmpty else { return }
        skipped += refused.count
        progress.clear()
        for found in refused { console.say(found.description) }
    }

    mutating func finish() {
        progress.clear()
        let late = discarded > 0 ? ", \(discarded.grouped) before the horizon discarded" : ""
        let again = repeated > 0 ? ", \(repeated.grouped) were stored before" : ""
        console.say("stored \(accepted.grouped) events\(late)\(again)")
        let reasons = DumpRow.Reason.allCases.compactMap { reason in
            leftOut[reason].map { "\(reason.text) \($0.grouped)" }
        }
        guard !reasons.isEmpty else { return }
        console.say("rows without an event: \(reasons.joined(separator: ", "))")
        if accepted + repeated + discarded == 0, leftOut[.withoutTimestamp] != nil {
            console.say("no row has a timestamp: was the dump made with include_docs=true?")
        }
    }
}

extension DumpRow.Reason {
    fileprivate var text: String {
        switch self {
        case .designDocument: "design documents"
        case .deleted: "deleted"
        case .missing: "missing"
        case .withoutTimestamp: "without a timestamp"
        }
    }
}
