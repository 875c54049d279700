import LogEngine
import SegmentFormat
import Synchronization

/// What is folded into a view.
protocol UserEntry: Sendable {
    var bucket: Bucket { get }
    init(stored line: UnsafeRawBufferPointer) throws(StoredEntryFault)
    func append(to batch: LineBatch, _ key: StoreKey)
}

extension LogEntry: UserEntry {}
extension LastLogin: UserEntry {}

protocol FoldedView: CheckpointedView {
    associatedtype Entry: UserEntry
    mutating func fold(_ entry: Entry)
    mutating func erase(_ username: [UInt8])
}

extension DeviceView: FoldedView {}
extension LastLoginView: FoldedView {}

/// A view beside the log that it is of. Entries are folded in between the commit that made them durable and the next
/// one, before who sent them hears of it: so the view is at every moment that of a prefix of the log, and whoever has
/// an answer finds what he sent.
final class LiveView<View: FoldedView>: Sendable {
    private let view: Mutex<View>

    init(seed: UInt64) { view = Mutex(View(seed: seed)) }

    func read<Value: Sendable>(_ body: (View) -> Value) -> Value { view.withLock { body($0) } }

    func replace(by other: View) { view.withLock { $0 = other } }

    /// Events as they come from the log.
    func fold(_ chunk: ScanChunk) throws(StoredEntryFault) {
        try view.withLock { (view) throws(StoredEntryFault) in
            try chunk.forEachLine { (line, _) throws(StoredEntryFault) in view.fold(try View.Entry(stored: line)) }
        }
    }

    /// On the thread of the log, behind the commit of these entries.
    func fold(_ entries: [View.Entry], _ outcome: AppendOutcome) {
        guard !outcome.isRepeat, outcome.accepted > 0 else { return }
        let horizon = Self.earliest(of: entries, discarding: outcome.discarded)
        view.withLock { view in
            for entry in entries where entry.bucket >= horizon { view.fold(entry) }
        }
    }

    /// The log discards what lies before its horizon: where it discarded `count`, those with the earliest buckets.
    static func earliest(of entries: [View.Entry], discarding count: Int) -> Bucket {
        count == 0 ? .earliest : entries.map(\.bucket).sorted()[count]
    }

    func erase(_ username: [UInt8]) { view.withLock { $0.erase(username) } }
}
