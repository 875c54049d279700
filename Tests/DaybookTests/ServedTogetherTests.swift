import ServiceLifecycle
import Testing

@testable import daybook

@Suite("services that end together")
struct ServedTogetherTests {
    /// Runs until it is cancelled.
    private struct Endless: Service {
        func run() async throws {
            for await _ in AsyncStream<Void>.makeStream().stream {}
            #expect(Task.isCancelled)
        }
    }

    private struct Failing: Service {
        func run() async throws { throw CommandFailure(.unavailable, "no such address") }
    }

    @Test("where one fails the others are cancelled, and its error is the one that is told")
    func failure() async {
        await #expect(throws: CommandFailure(.unavailable, "no such address")) {
            try await ServedTogether(services: [Endless(), Failing(), Endless()]).run()
        }
    }
}
