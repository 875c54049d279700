import Testing

@testable import Forwarding

@Suite("Everything that can happen to two batches")
struct ForwarderEnumerationTests {
    @Test("in every order, each event is stored by one server, once", arguments: [(1, 8), (2, 7)])
    func everyOrder(servers: Int, moves: Int) {
        var (ends, path) = (0, [SmallWorld.Move]())
        explore(SmallWorld(servers: servers), moves: moves, &path, &ends)
        #expect(ends > 10_000)
    }

    /// Stops at the first flaw, and tells how it came to it.
    @discardableResult
    private func explore(
        _ world: SmallWorld, moves: Int, _ path: inout [SmallWorld.Move], _ ends: inout Int
    ) -> Bool {
        for ending in SmallWorld.Ending.allCases where moves == 0 || world.moves.isEmpty {
            var ended = world
            ended.end(ending)
            ends += 1
            guard ended.flaws.isEmpty else {
                Issue.record("\(path), then \(ending): \(ended.flaws)")
                return false
            }
        }
        guard moves > 0 else { return true }
        for move in world.moves {
            var next = world
            next.make(move)
            path.append(move)
            guard explore(next, moves: moves - 1, &path, &ends) else { return false }
            path.removeLast()
        }
        return true
    }
}
