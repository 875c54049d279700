import Glibc
import LogEngine
import SegmentFormat
import TestSupport
import Testing
import UserMetadata

@testable import daybook

/// A directory of user metadata, and what is in it.
final class UserStoreDirectory {
    private static let now: UInt64 = 1_794_963_600_000
    private static let clock: @Sendable () -> UInt64 = { now }

    private let directory: TemporaryDirectory
    var data: String { "\(directory.path)/users" }
    var path: String { directory.path }

    /// With an entry of a device of each user and a last login, a day ago.
    init(_ users: String...) async throws {
        directory = try TemporaryDirectory()
        let key = try KeyFile.standard(data: data).key(makes: true, random: Environment.system.random)
        var environment = Environment.system
        environment.now = { Self.now - 86_400_000 }
        let store = try await UserStore.open(data, options: UserStore.Options(key: key), environment: environment)
        for user in users {
            let device = #"{"id":"d-\#(user)","remote_zone":"DE"}"#
            let entry = #"{"username":"\#(user)","type":"login","message":"hello","device_info":\#(device)}"#
            try await store.add([try Array(entry.utf8).withUnsafeBytes { try store.entry($0) }])
            let login = #"{"username":"\#(user)","service":"imap"}"#
            try await store.set(try Array(login.utf8).withUnsafeBytes { try store.lastLogin($0) })
        }
        try await store.close()
    }

    func run(_ arguments: String...) async throws -> CommandRun { try await run(arguments) }

    func run(_ arguments: [String]) async throws -> CommandRun {
        let arguments = arguments + ["--data", data]
        return try await WallClock.$now.withValue(Self.clock) { try await CommandRun(arguments) }
    }

    /// Does the same with the directory open in this process, as a server has it.
    func served(
        _ policies: [StreamName: NamedPolicy] = [:], _ body: () async throws -> Void
    ) async throws {
        let users = UserDirectory(data: data, keyFile: nil)
        try await WallClock.$now.withValue(Self.clock) { try await Self.serve(users, policies, body) }
    }

    private static func serve(
        _ users: UserDirectory, _ policies: [StreamName: NamedPolicy], _ body: () async throws -> Void
    ) async throws {
        let store = try await users.open()
        let control = try await ControlServer(
            JobPlace(store, policies: policies), users.layout, Console(SaidText()), .patient)
        let running = Task { try await control.run() }
        let result: Result<Void, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        running.cancel()
        try await running.value
        try await store.close()
        try result.get()
    }
}
