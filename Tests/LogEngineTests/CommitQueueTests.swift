import SegmentFormat
import TestSupport
import Testing

@testable import LogEngine

@Suite("What waits for the committer")
struct CommitQueueTests {
    private typealias Queue = CommitQueue<Int>

    private static let small = PendingAppend(TestBatch(1, buckets: [1]).lines, delivery: nil)

    private static func item(_ number: Int, _ append: PendingAppend = small) -> Queue.Item {
        Queue.Item(append: append, waiter: number)
    }

    // MARK: - Order

    @Test("appends are committed together, the oldest first")
    func together() {
        var queue = Queue()
        for number in 1...5 { #expect(queue.enqueue(Self.item(number)) != nil) }
        #expect(queue.next().told == "commit [1, 2, 3, 4, 5]")
        #expect(queue.next().told == "sleep")
    }

    @Test("tasks go before appends, one at a time, and the close comes last")
    func tasksFirst() {
        var queue = Queue()
        _ = queue.enqueue(Self.item(1))
        _ = queue.enqueueTask(2)
        _ = queue.enqueue(Self.item(3))
        _ = queue.enqueueTask(4)
        _ = queue.close(5)
        let told = (0..<4).map { _ in queue.next().told }
        #expect(told == ["task 2", "task 4", "commit [1, 3]", "close 5"])
    }

    @Test("what came before the close is done; what comes after it is refused, another close too")
    func closed() {
        var queue = Queue()
        _ = queue.enqueue(Self.item(1))
        #expect(queue.close(2) == false)
        #expect(queue.isClosed)
        #expect(queue.enqueue(Self.item(3)) == nil)
        #expect(queue.enqueueTask(4) == nil)
        #expect(queue.close(5) == nil)
        #expect(queue.next().told == "commit [1]")
        #expect(queue.next().told == "close 2")
        #expect(queue.next().told == "sleep")
    }

    // MARK: - The bounds of a commit

    @Test("a commit takes so many appends, and leaves the others to the next")
    func manyAppends() {
        var queue = Queue()
        for number in 0..<Bounds.commitAppends + 3 { _ = queue.enqueue(Self.item(number)) }
        #expect(queue.next().waiters == Array(0..<Bounds.commitAppends))
        #expect(queue.next().waiters == Array(Bounds.commitAppends..<Bounds.commitAppends + 3))
    }

    @Test("a commit takes so many lines, and leaves the others to the next")
    func manyLines() {
        let batch = LineBatch()
        for _ in 0..<Bounds.commitLines / 5 { batch.append("{}", bucket: .ofTest(1)) }
        var queue = Queue()
        let append = PendingAppend(batch, delivery: nil)
        for number in 0..<7 { _ = queue.enqueue(Self.item(number, append)) }
        #expect(queue.next().waiters == [0, 1, 2, 3, 4])
        #expect(queue.next().waiters == [5, 6])
    }

    @Test("a commit takes so many bytes; an append that does not fit holds up those behind it")
    func manyBytes() {
        let batch = LineBatch()
        batch.append(String(repeating: "x", count: Bounds.commitBytes / 2), bucket: .ofTest(1))
        var queue = Queue()
        let large = PendingAppend(batch, delivery: nil)
        _ = queue.enqueue(Self.item(0))
        _ = queue.enqueue(Self.item(1, large))
        _ = queue.enqueue(Self.item(2, large))
        _ = queue.enqueue(Self.item(3))
        #expect(queue.next().waiters == [0, 1])
        #expect(queue.next().waiters == [2, 3])
    }

    @Test("an append beyond the bounds is committed alone, not never")
    func tooMuchForOne() {
        let batch = LineBatch()
        batch.append(String(repeating: "x", count: Bounds.commitBytes), bucket: .ofTest(1))
        var queue = Queue()
        _ = queue.enqueue(Self.item(0, PendingAppend(batch, delivery: nil)))
        _ = queue.enqueue(Self.item(1))
        #expect(queue.next().waiters == [0])
        #expect(queue.next().waiters == [1])
    }

    // MARK: - Wake-ups

    @Test("only the first to come while the committer sleeps has to wake it")
    func wakesOnce() {
        var queue = Queue()
        #expect(queue.enqueue(Self.item(1)) == false)
        _ = queue.next()
        #expect(queue.next().told == "sleep")
        #expect(queue.enqueue(Self.item(2)) == true)
        #expect(queue.enqueue(Self.item(3)) == false)
        #expect(queue.enqueueTask(4) == false)
    }

    @Test("however the steps of committer and callers interleave, the committer never sleeps on work")
    func noLostWakeUp() {
        var story = CommitterStory()
        story.explore(steps: 10)
        #expect(story.lost.isEmpty)
        #expect(story.visited > 50_000)
    }
}

/// The committer's thread and its alarm as a value; every order of steps is tried.
private struct CommitterStory {
    private enum Thread { case running, waiting, woken, ended }
    private enum Step: CaseIterable { case append, task, close, proceed, timeOut }

    private var queue = CommitQueue<Int>()
    private var thread = Thread.running
    private var rings = 0
    private var (sent, done) = (0, 0)
    private var path: [Step] = []
    private(set) var lost: [String] = []
    private(set) var visited = 0

    mutating func explore(steps: Int) {
        visited += 1
        if thread == .waiting, rings == 0, done < sent { lost.append("\(path)") }
        if thread == .ended, done < sent { lost.append("\(path)") }
        guard steps > 0 else { return }
        for step in Step.allCases {
            var next = self
            guard next.take(step) else { continue }
            next.explore(steps: steps - 1)
            (visited, lost) = (next.visited, next.lost)
        }
    }

    /// False where the step cannot be taken now.
    private mutating func take(_ step: Step) -> Bool {
        path.append(step)
        switch step {
        case .append: return send { $0.enqueue(.init(append: Self.batch, waiter: 0)) }
        case .task: return send { $0.enqueueTask(0) }
        case .close: return send { $0.close(0) }
        case .timeOut:
            guard thread == .waiting else { return false }
            thread = .woken
        case .proceed: return proceed()
        }
        return true
    }

    private static let batch = PendingAppend(TestBatch(1, buckets: [1]).lines, delivery: nil)

    private mutating func send(_ enqueue: (inout CommitQueue<Int>) -> Bool?) -> Bool {
        guard let wakes = enqueue(&queue) else { return false }
        sent += 1
        if wakes { rings += 1 }
        return true
    }

    private mutating func proceed() -> Bool {
        switch thread {
        case .running: obey(queue.next())
        case .waiting:
            guard rings > 0 else { return false }
            rings -= 1
            thread = .woken
        case .woken:
            queue.awoke()
            thread = .running
        case .ended: return false
        }
        return true
    }

    private mutating func obey(_ order: CommitQueue<Int>.Order) {
        switch order {
        case .commit(let items): done += items.count
        case .task: done += 1
        case .close:
            done += 1
            thread = .ended
        case .sleep: thread = .waiting
        }
    }
}

extension CommitQueue.Order where Waiter == Int {
    fileprivate var waiters: [Int] {
        guard case .commit(let items) = self else { return [] }
        return items.map(\.waiter)
    }

    fileprivate var told: String {
        switch self {
        case .commit: "commit \(waiters)"
        case .task(let waiter): "task \(waiter)"
        case .close(let waiter): "close \(waiter)"
        case .sleep: "sleep"
        }
    }
}

extension LineBatch {
    /// Appends a line, without its LF.
    func append(_ line: String, bucket: Bucket) {
        var line = line
        line.withUTF8 { append(UnsafeRawBufferPointer($0), bucket: bucket) }
    }
}
