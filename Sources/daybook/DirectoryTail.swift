import Glibc
import LogEngine
import SegmentFormat

/// The end of a directory, in order of arrival.
struct DirectoryTail {
    /// Between two looks at the active mark.
    private static let interval = Duration.milliseconds(200)

    private let directory: String
    private let range: ClosedRange<UInt64>
    private let console: Console
    private let mark: ActiveMarkWatch
    private var store = StoreID(0)
    /// Everything up to it was printed, or is not wanted.
    private var last = Sequence(0)

    init(_ directory: String, range: ClosedRange<UInt64>, _ console: Console) {
        self.directory = directory
        self.range = range
        self.console = console
        mark = ActiveMarkWatch(directory)
    }

    /// Prints what is there: the last `count` events behind `start`, all of them where it is `nil`.
    mutating func begin(after start: (store: StoreID?, sequence: Sequence)?, last count: Int?) throws {
        mark.look()
        let (snapshot, notes) = try snapshot()
        for note in notes { console.say(note) }
        store = snapshot.store
        guard start?.store ?? store == store else {
            throw CommandFailure(.usage, "\(directory): the event of --since is one of another store")
        }
        let first = start?.sequence ?? Sequence(0)
        guard first <= snapshot.lastSequence else {
            throw CommandFailure(
                .usage,
                "\(directory): --since \(first.value) is above the last sequence, \(snapshot.lastSequence.value)")
        }
        let from = try count.map { try self.start(of: $0, in: snapshot, after: first) } ?? (after: first, skipped: 0)
        try print(snapshot, after: from.after, dropping: from.skipped).check(console)
        last = snapshot.lastSequence
    }

    /// Prints what is stored next, until nobody reads any more.
    mutating func follow() async throws {
        try console.flush()
        while !console.isClosed {
            try await Task.sleep(for: Self.interval)
            guard mark.look() else { continue }
            let snapshot = try snapshot().snapshot
            guard snapshot.store == store else {
                throw CommandFailure(.data, "\(directory): another store has come in its place")
            }
            guard snapshot.lastSequence > last else { continue }
            let summary = try print(snapshot, after: last, dropping: 0)
            for found in summary.faults { console.say(found.description) }
            last = snapshot.lastSequence
            try console.flush()
        }
    }

    private func snapshot() throws -> (snapshot: LogSnapshot, notes: [String]) {
        try StoreReader.snapshot(of: directory, options: LogOptions(), environment: .system)
    }

    /// Where the last `count` events begin: behind a sequence, and so many lines behind it. Sequences may
    /// have gaps, so it looks further and further back until there are enough.
    private func start(
        of count: Int, in snapshot: LogSnapshot, after first: Sequence
    ) throws -> (after: Sequence, skipped: Int) {
        let end = snapshot.lastSequence.value
        var reach = UInt64(count)
        while true {
            let after = max(first, Sequence(end - min(reach, end)))
            let found = try lines(of: snapshot, after: after)
            if found >= count { return (after, found - count) }
            if after == first { return (first, 0) }
            reach = reach.multipliedReportingOverflow(by: 4).overflow ? end : reach * 4
        }
    }

    private func lines(of snapshot: LogSnapshot, after: Sequence) throws -> Int {
        let scan = try scan(snapshot, after: after)
        while try scan.next() != nil {}
        return scan.summary.lines
    }

    private func print(_ snapshot: LogSnapshot, after: Sequence, dropping count: Int) throws -> ScanSummary {
        let scan = try scan(snapshot, after: after)
        var printer = EventPrinter(.ndjson, console)
        var rest = count
        while let chunk = try scan.next() {
            if rest < chunk.lines { try printer.write(chunk, of: snapshot.store, dropping: rest) }
            rest -= min(rest, chunk.lines)
        }
        return scan.summary
    }

    private func scan(_ snapshot: LogSnapshot, after: Sequence) throws -> Scan {
        try Scan(snapshot, ScanRequest(range: range, order: .arrival, after: after))
    }
}

/// Tells whether a writer may have stored something: it writes the active mark anew after each sync.
private final class ActiveMarkWatch {
    private static let mostBytes = 4_096 + 8
    private let path: String
    private var seen: [UInt8]?

    init(_ directory: String) {
        path = Layout(data: directory, stream: LogOptions().stream).activeMark
    }

    /// Whether it is another than at the last look, or cannot be read.
    @discardableResult
    func look() -> Bool {
        let before = seen
        seen = read()
        return seen == nil || seen != before
    }

    private func read() -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: Self.mostBytes)
        let count = Glibc.read(descriptor, &bytes, bytes.count)
        return count >= 0 ? Array(bytes.prefix(count)) : nil
    }
}
