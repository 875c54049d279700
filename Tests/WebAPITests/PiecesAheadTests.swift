import Glibc
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import WebAPI

@Suite("pieces that are made ahead")
struct PiecesAheadTests {
    private struct Broken: Error {}

    /// Makes pieces 1, 2, 3 …, which say their number.
    private final class Maker: Sendable {
        let begun = Atomic<Int>(0)
        let ended = Atomic<Int>(0)
        private let count: Int
        private let failing: Int?

        init(_ count: Int, failing: Int? = nil) {
            self.count = count
            self.failing = failing
        }

        func make() throws -> ByteBuffer? {
            let (before, number) = begun.add(1, ordering: .relaxed)
            #expect(before == ended.load(ordering: .acquiring), "two at a time")
            defer { ended.add(1, ordering: .releasing) }
            if number == failing { throw Broken() }
            return number <= count ? ByteBuffer(integer: number) : nil
        }
    }

    /// Holds a thread back until it is opened.
    private final class Gate: Sendable {
        private let reached = Atomic<Bool>(false)
        private let isOpen = Atomic<Bool>(false)

        func pass() {
            reached.store(true, ordering: .releasing)
            while !isOpen.load(ordering: .acquiring) { sched_yield() }
        }

        func untilReached() async { while !reached.load(ordering: .acquiring) { await Task.yield() } }
        func open() { isOpen.store(true, ordering: .releasing) }
    }

    private func withPool(_ body: (NIOThreadPool) async throws -> Void) async throws {
        let blocking = NIOThreadPool(numberOfThreads: 3)
        blocking.start()
        let result: Result<Void, any Error>
        do { result = .success(try await body(blocking)) } catch { result = .failure(error) }
        try await blocking.shutdownGracefully()
        try result.get()
    }

    /// Takes the next pieces, which must have these numbers.
    private func expect(_ numbers: ClosedRange<Int>, from ahead: PiecesAhead) async throws {
        for number in numbers {
            let piece = try await ahead.next()
            #expect(piece?.getInteger(at: 0) == number)
        }
    }

    @Test("they come in order, then the end", arguments: [0, 1, 3, 100])
    func order(most: Int) async throws {
        try await withPool { blocking in
            let maker = Maker(60)
            let ahead = PiecesAhead(on: blocking, most: { most }, make: { try maker.make() })
            try await expect(1...60, from: ahead)
            let end = try await ahead.next()
            #expect(end == nil)
            #expect(maker.begun.load(ordering: .relaxed) == 61)
        }
    }

    @Test("so many are made before they are asked for, and no more", arguments: [0, 1, 3])
    func bound(most: Int) async throws {
        let maker = Maker(60)
        try await withPool { blocking in
            let ahead = PiecesAhead(on: blocking, most: { most }, make: { try maker.make() })
            #expect(maker.begun.load(ordering: .relaxed) == 0)
            for asked in 1...20 {
                try await expect(asked...asked, from: ahead)
                while maker.ended.load(ordering: .acquiring) < asked + most { await Task.yield() }
                #expect(maker.begun.load(ordering: .relaxed) == asked + most)
            }
        }
        // The pool has ended what it was given.
        #expect(maker.begun.load(ordering: .relaxed) == 20 + most)
    }

    @Test("what fails is thrown behind the pieces before it, and is the last that is made", arguments: [0, 1, 5])
    func failure(most: Int) async throws {
        let maker = Maker(60, failing: 4)
        try await withPool { blocking in
            let ahead = PiecesAhead(on: blocking, most: { most }, make: { try maker.make() })
            try await expect(1...3, from: ahead)
            await #expect(throws: Broken.self) { try await ahead.next() }
        }
        #expect(maker.begun.load(ordering: .relaxed) == 4)
    }

    @Test("who stops has no other piece made, and what was held is let go")
    func stopped() async throws {
        let gate = Gate()
        weak var held: Maker?
        try await withPool { blocking in
            let maker = Maker(60)
            held = maker
            let ahead = PiecesAhead(on: blocking, most: { 5 }) {
                let piece = try maker.make()
                if maker.begun.load(ordering: .relaxed) == 2 { gate.pass() }
                return piece
            }
            try await expect(1...1, from: ahead)
            await gate.untilReached()
            ahead.stop()
            gate.open()
            try await blocking.shutdownGracefully()
            #expect(maker.begun.load(ordering: .relaxed) == 2)
        }
        #expect(held == nil)
    }

    @Test("a pool that was shut down makes none")
    func shutDown() async throws {
        let blocking = NIOThreadPool(numberOfThreads: 1)
        blocking.start()
        try await blocking.shutdownGracefully()
        let maker = Maker(60)
        let ahead = PiecesAhead(on: blocking, most: { 1 }, make: { try maker.make() })
        await #expect(throws: CancellationError.self) { try await ahead.next() }
        #expect(maker.begun.load(ordering: .relaxed) == 0)
    }
}
