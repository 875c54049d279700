import SegmentFormat

// Group commit as a value: what waits, what the committer does next. The driver is `Committer`.

struct CommitQueue<Waiter> {
    struct Item {
        var append: PendingAppend
        var waiter: Waiter
    }

    enum Order {
        /// Make these durable together.
        case commit([Item])
        /// Do what this one wants done between two commits.
        case task(Waiter)
        /// Write the clean close and end.
        case close(Waiter)
        /// Nothing waits: sleep until told, or until the active segment is due.
        case sleep
    }

    private var items: [Item] = []
    private var tasks: [Waiter] = []
    private var closing: Waiter?
    private var isAsleep = false
    private(set) var isClosed = false

    /// Appends that no commit has taken yet.
    var waitingAppends: Int { items.count }

    /// Whether the committer has to be woken, or `nil` where the queue is closed.
    mutating func enqueue(_ item: Item) -> Bool? {
        guard !isClosed else { return nil }
        items.append(item)
        return wake()
    }

    mutating func enqueueTask(_ waiter: Waiter) -> Bool? {
        guard !isClosed else { return nil }
        tasks.append(waiter)
        return wake()
    }

    /// Takes no more; what waits is still done, and the close comes last.
    mutating func close(_ waiter: Waiter) -> Bool? {
        guard !isClosed else { return nil }
        isClosed = true
        closing = waiter
        return wake()
    }

    private mutating func wake() -> Bool {
        defer { isAsleep = false }
        return isAsleep
    }

    /// What the committer does now. Tasks are rare and go first, or a busy log would never come to them;
    /// then appends, oldest first, as many as one commit holds.
    mutating func next() -> Order {
        if !tasks.isEmpty { return .task(tasks.removeFirst()) }
        if !items.isEmpty { return .commit(takeCommit()) }
        if let waiter = closing {
            closing = nil
            return .close(waiter)
        }
        isAsleep = true
        return .sleep
    }

    /// The committer woke by itself.
    mutating func awoke() { isAsleep = false }

    private mutating func takeCommit() -> [Item] {
        var (bytes, lines, count) = (0, 0, 0)
        for item in items {
            let (moreBytes, moreLines) = (bytes + item.append.batch.byteCount, lines + item.append.batch.lineCount)
            let fits =
                moreBytes <= Bounds.commitBytes && moreLines <= Bounds.commitLines && count < Bounds.commitAppends
            guard count == 0 || fits else { break }
            (bytes, lines, count) = (moreBytes, moreLines, count + 1)
        }
        guard count < items.count else {
            defer { items = [] }
            return items
        }
        defer { items.removeFirst(count) }
        return Array(items[..<count])
    }
}
