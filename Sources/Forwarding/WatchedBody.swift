import NIOCore
import Synchronization

/// The body of a request, in one piece. Until it is taken to be sent, the server cannot have it.
struct WatchedBody: AsyncSequence, Sendable {
    let content: ByteBuffer
    private let flag = Flag()

    private final class Flag: Sendable {
        let isSet = Atomic(false)
    }

    init(_ content: ByteBuffer) { self.content = content }

    var wasTaken: Bool { flag.isSet.load(ordering: .acquiring) }

    struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let body: WatchedBody
        private var isAtEnd = false

        fileprivate init(_ body: WatchedBody) { self.body = body }

        mutating func next() async -> ByteBuffer? {
            guard !isAtEnd else { return nil }
            isAtEnd = true
            body.flag.isSet.store(true, ordering: .releasing)
            return body.content
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(self) }
}
