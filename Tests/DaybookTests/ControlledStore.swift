import ArgumentParser
import LogEngine

@testable import daybook

/// A store that is open in this process, and takes jobs through its socket.
struct ControlledStore {
    let log: EventLog
    let layout: Layout
    /// Ends the server, as a shutdown does.
    let stop: @Sendable () -> Void
    /// What the server said.
    let talk: @Sendable () -> String

    func client(_ arguments: String...) -> ControlClient { ControlClient(layout: layout, arguments: arguments) }
    func connect() throws -> RawClient { try RawClient(path: layout.controlSocket) }
}

func withControl(
    _ data: String, _ options: ControlServer.Options = .patient, named: NamedPolicy? = nil,
    body: (ControlledStore) async throws -> Void
) async throws {
    var environment = Environment.system
    environment.now = WallClock.now
    let log = try EventLog.open(data, options: LogOptions(), environment: environment)
    let layout = Layout(data: data, stream: .interactions)
    let said = SaidText()
    let control = try await ControlServer(
        JobPlace(log, JobBoard(named)), layout, Console(said), options)
    let running = Task { try await control.run() }
    let store = ControlledStore(log: log, layout: layout, stop: { running.cancel() }, talk: { said.text })
    let result: Result<Void, any Error>
    do { result = .success(try await body(store)) } catch { result = .failure(error) }
    running.cancel()
    try await running.value
    try await log.close()
    try result.get()
}

extension ControlServer.Options {
    /// No limit of time that a busy machine might pass.
    static var patient: Self {
        var options = Self()
        options.limits.requestTime = .hours(1)
        options.limits.farewellTime = .minutes(1)
        return options
    }

    /// Takes `HeldJob` as `held` and `NoisyJob` as `noisy`, beside all other jobs.
    static var holding: Self {
        var options = patient
        options.parse = { arguments in
            switch arguments {
            case ["held"]: try HeldJob.parse([])
            case ["noisy"]: try NoisyJob.parse([])
            default: try Daybook.job(arguments)
            }
        }
        return options
    }
}

/// Waits until the test lets it go on, then seals.
struct HeldJob: StreamJob {
    static let job = JobKind.purge

    /// Signals between a held job and its test.
    struct Gate: Sendable {
        let hasBegun = AsyncStream<Void>.makeStream()
        let mayEnd = AsyncStream<Void>.makeStream()
        let hasEnded = AsyncStream<Void>.makeStream()

        func begun() async { for await _ in hasBegun.stream { return } }
        func letEnd() { mayEnd.continuation.yield() }
        func ended() async { for await _ in hasEnded.stream { return } }
    }

    @TaskLocal static var gate = Gate()

    @OptionGroup var store: StreamOptions

    func run(on log: EventLog, _ console: Console) async throws {
        let gate = Self.gate
        defer { gate.hasEnded.continuation.yield() }
        console.say("held")
        gate.hasBegun.continuation.yield()
        for await _ in gate.mayEnd.stream { break }
        try Task.checkCancellation()
        try await log.seal()
        try console.write("sealed\n")
    }
}

/// Writes 4 MiB, which no socket holds.
struct NoisyJob: StreamJob {
    static let job = JobKind.purge

    @OptionGroup var store: StreamOptions

    func run(on log: EventLog, _ console: Console) async throws {
        for _ in 0..<64 { try console.write(String(repeating: "x", count: 65_535) + "\n") }
        try console.flush()
        HeldJob.gate.hasEnded.continuation.yield()
    }
}
