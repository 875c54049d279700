import SegmentFormat

// What one commit will do with the appends that are waiting for it: pure, so that the order of
// checks, the sequences and the answers can be tested without a disk.

/// A batch that waits to be made durable.
struct PendingAppend: Sendable {
    let batch: LineBatch
    /// Already compressed, where it is large enough for blocks of its own.
    let contents: [BlockContent]?
    let delivery: Delivery?

    init(_ batch: LineBatch, delivery: Delivery?) {
        self.batch = batch
        self.delivery = delivery
        contents = batch.byteCount >= Bounds.ownBlockBytes ? BlockContent.blocks(of: batch) : nil
    }
}

/// What an append was answered.
public struct AppendOutcome: Equatable, Sendable {
    /// Of the accepted events; they have consecutive sequences.
    public var firstSequence: Sequence
    public var accepted: Int
    /// Events before the horizon: not stored.
    public var discarded: Int
    /// The batch came before, and this is the answer that it got then.
    public var isRepeat: Bool

    init(_ outcome: DeliveryOutcome, isRepeat: Bool) {
        firstSequence = outcome.firstSequence
        accepted = Int(outcome.accepted)
        discarded = Int(outcome.discarded)
        self.isRepeat = isRepeat
    }
}

/// Small batches share blocks and come first, in the order in which they waited; each large one has
/// its own. The deliveries of a commit stand in its first block.
struct CommitPlan {
    struct Block {
        var content: BlockContent
        var firstSequence: Sequence
    }

    private(set) var answers: [Result<AppendOutcome, StoreError>]
    private(set) var blocks: [Block] = []
    private(set) var keyed: [KeyedDelivery] = []
    private(set) var sourced: [SourceDelivery] = []
    private(set) var nextSequence: Sequence
    private let horizon: Bucket
    private let time: UInt64
    /// Deliveries of this commit and the append that brought each first.
    private var firsts: [Delivery: Int] = [:]

    /// `now` in milliseconds; the times that go to the disk are floored to `resolution`.
    init(
        _ appends: [PendingAppend], after memory: DeliveryMemory, nextSequence: Sequence, horizon: Bucket,
        resolution: Resolution, now: UInt64
    ) {
        self.nextSequence = nextSequence
        self.horizon = horizon
        time = resolution.bucket(of: now).milliseconds
        answers = Array(repeating: .failure(.closed), count: appends.count)

        var fresh: [Int] = []
        for (index, append) in appends.enumerated() where !answerRepeat(append, at: index, memory, now: now) {
            fresh.append(index)
        }
        let packed = LineBatch(capacity: fresh.reduce(0) { $0 + appends[$1].batch.byteCount })
        for index in fresh where appends[index].contents == nil {
            let (batch, dropped) = kept(appends[index].batch)
            packed.append(contentsOf: batch)
            answer(index, appends[index].delivery, lines: batch.lineCount, dropped: dropped)
        }
        add(BlockContent.blocks(of: packed), startingAt: nextSequence)
        for index in fresh {
            guard let contents = appends[index].contents else { continue }
            let (batch, dropped) = kept(appends[index].batch)
            add(dropped == 0 ? contents : BlockContent.blocks(of: batch), startingAt: self.nextSequence)
            answer(index, appends[index].delivery, lines: batch.lineCount, dropped: dropped)
        }
        answerRepeatsOfThisCommit(appends)
    }

    /// Nothing has to be written.
    var isEmpty: Bool { blocks.isEmpty && keyed.isEmpty && sourced.isEmpty }
    /// Blocks that will be written: one without lines where there are only deliveries.
    var blockCount: Int { max(blocks.count, isEmpty ? 0 : 1) }

    /// Pairs of key and block.
    var keyCount: Int { blocks.reduce(0) { $0 + $1.content.keys.count } }

    private mutating func answerRepeat(
        _ append: PendingAppend, at index: Int, _ memory: DeliveryMemory, now: UInt64
    ) -> Bool {
        guard let delivery = append.delivery else { return false }
        switch memory.answer(to: delivery, now: now) {
        case .known(let outcome): answers[index] = .success(AppendOutcome(outcome, isRepeat: true))
        case .conflict: answers[index] = .failure(.deliveryConflict)
        case .unknown:
            guard firsts[delivery.identity] == nil else { return true }
            firsts[delivery.identity] = index
            return false
        }
        return true
    }

    private mutating func answerRepeatsOfThisCommit(_ appends: [PendingAppend]) {
        for (index, append) in appends.enumerated() {
            guard let delivery = append.delivery, let first = firsts[delivery.identity], first != index
            else { continue }
            guard appends[first].delivery == delivery else {
                answers[index] = .failure(.deliveryConflict)
                continue
            }
            answers[index] = answers[first].map { outcome in
                var repeated = outcome
                repeated.isRepeat = true
                return repeated
            }
        }
    }

    private func kept(_ batch: LineBatch) -> (kept: LineBatch, dropped: Int) {
        guard horizon > .earliest, batch.earliest < horizon else { return (batch, 0) }
        return batch.dropping(before: horizon)
    }

    private mutating func add(_ contents: [BlockContent], startingAt start: Sequence) {
        var sequence = start
        for content in contents {
            blocks.append(Block(content: content, firstSequence: sequence))
            sequence = sequence + content.lines
        }
    }

    private mutating func answer(_ index: Int, _ delivery: Delivery?, lines: Int, dropped: Int) {
        let outcome = DeliveryOutcome(
            firstSequence: nextSequence, accepted: UInt32(lines), discarded: UInt32(dropped), time: time)
        answers[index] = .success(AppendOutcome(outcome, isRepeat: false))
        nextSequence = nextSequence + lines
        switch delivery {
        case .key(let key, let fingerprint):
            keyed.append(KeyedDelivery(key: key, fingerprint: fingerprint, outcome: outcome))
        case .source(let source, let number):
            sourced.append(SourceDelivery(source: source, number: number, outcome: outcome))
        case nil: break
        }
    }
}

extension Delivery {
    /// What two deliveries share if one is meant as a repeat of the other.
    fileprivate var identity: Delivery {
        switch self {
        case .key(let key, _): .key(key, fingerprint: Hash128(low: 0, high: 0))
        case .source: self
        }
    }
}
