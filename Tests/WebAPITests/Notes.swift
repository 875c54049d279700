import Synchronization

/// The lines that a server tells who runs it.
final class Notes: Sendable {
    private let lines = Mutex<[String]>([])
    private let stream: AsyncStream<String>
    private let continuation: AsyncStream<String>.Continuation

    init() { (stream, continuation) = AsyncStream.makeStream() }

    func take(_ line: String) {
        lines.withLock { $0.append(line) }
        continuation.yield(line)
    }

    var all: [String] { lines.withLock { $0 } }

    /// Suspends until there is a line that nobody waited for yet. One task at a time.
    func next() async -> String? {
        var iterator = stream.makeAsyncIterator()
        return await iterator.next()
    }
}
