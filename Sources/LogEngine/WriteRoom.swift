import SegmentFormat
import Synchronization

// Keeps the file system from filling up: an append that would leave too little is refused before anything
// of it is written, so that seals and manifests find room, and RESERVE where it is given up. The file
// system is not asked for every commit. Others write to it too: a disk that is full in spite of this is met
// when it is written to (SPEC P2).

final class WriteRoom: Sendable {
    private struct State {
        /// Free bytes when asked, less what was written since; `nil` where it has to be asked.
        var free: UInt64?
        var asked: UInt64 = 0
        var written: UInt64 = 0
        var refusals = 0
        /// What appends leave free.
        var kept: UInt64
    }

    private let disk: any Disk
    private let path: String
    private let state: Mutex<State>

    /// - Parameter kept: what appends leave free, until the first says so itself.
    init(_ disk: any Disk, _ path: String, leaving kept: UInt64) {
        self.disk = disk
        self.path = path
        state = Mutex(State(kept: kept))
    }

    /// With less free, appends are refused.
    var leastFree: UInt64 { state.withLock { $0.kept } }

    /// Appends that were refused for want of room.
    var refusals: Int { state.withLock { $0.refusals } }

    /// What is known is wrong: the disk was full when it was written to, or more was written than appends.
    func forget() { state.withLock { $0.free = 0 } }

    /// Takes `bytes` out of what is free, or fails with `noSpace` where that would leave less than `kept`.
    /// `now` in milliseconds.
    func take(_ bytes: Int, appends: Int, leaving kept: UInt64, now: UInt64) throws(StoreError) {
        let short: UInt64? = state.withLock { state in
            state.kept = kept
            let age = now >= state.asked ? now - state.asked : .max
            let isStale = age >= Bounds.freeSpaceMilliseconds || state.written >= Bounds.freeSpaceBytes
            if isStale || !isEnough(state.free, for: bytes, leaving: kept) { ask(&state, now) }
            guard isEnough(state.free, for: bytes, leaving: kept) else {
                state.refusals += appends
                return state.free
            }
            state.free? -= UInt64(bytes)
            state.written += UInt64(bytes)
            return nil
        }
        if let short { throw .noRoom(path, free: short, kept: kept) }
    }

    private func isEnough(_ free: UInt64?, for bytes: Int, leaving kept: UInt64) -> Bool {
        guard let free else { return true }
        return free >= UInt64(bytes) && free - UInt64(bytes) >= kept
    }

    /// Where the file system cannot be asked, writing shows whether there is room.
    private func ask(_ state: inout State, _ now: UInt64) {
        do throws(StoreError) {
            state.free = try disk.freeSpace(at: path)
        } catch {
            state.free = nil
        }
        state.asked = now
        state.written = 0
    }
}

extension CommitPlan {
    /// About what it will take on the disk, rather more than less.
    var storedBytes: Int {
        blocks.reduce(blockCount * 4_096 + (keyed.count + sourced.count) * 64) { sum, block in
            let column = block.content.arrangement == .arrival ? 0 : block.content.lines * 10
            return sum + block.content.data.count + block.content.runs.count * 30 + column
        }
    }
}
