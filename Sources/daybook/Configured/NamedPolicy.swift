import LogEngine
import SegmentFormat
import Settings
import UserMetadata

/// The policy that a configuration names: it wins over `daybook policy set`.
struct NamedPolicy: Equatable, Sendable {
    let policy: RetentionPolicy
    /// Where it is named.
    let place: String

    /// `nil` where the configuration names none for the stream.
    init?(_ configuration: Configuration, _ stream: StreamName = .interactions) {
        guard let policy = configuration.settings(of: stream)?.policy else { return nil }
        self.policy = RetentionPolicy(
            maxAgeMilliseconds: policy.maxAgeMilliseconds, maxBytes: policy.maxBytes.map { UInt64($0) },
            minFreeBytes: policy.minFreeBytes.map { UInt64($0) })
        place = configuration.origin("streams.\(stream).policy").description
    }

    /// The same, where the configuration is one of the store in `data`.
    init?(_ configuration: Configuration, of data: String, _ stream: StreamName = .interactions) {
        let all =
            stream == .interactions
            ? [configuration.interactions.data] + configuration.storeDirectories : configuration.userDirectories
        guard all.contains(where: { DataDirectory.isSame($0, data) }) else { return nil }
        self.init(configuration, stream)
    }

    /// Makes it the policy of a stream, which is told where that changes something.
    func takeUp(_ log: EventLog, _ console: Console) async throws {
        guard log.policy != policy else { return }
        try await log.setPolicy(policy)
        let name = log.stream == .interactions ? "" : " of \(log.stream)"
        console.say("the policy\(name) is now the one that \(place) names")
    }

    var refusal: CommandFailure {
        CommandFailure(.configuration, "\(place) names the policy, and wins: change it there, and restart the server")
    }
}

extension Configuration {
    /// `nil` where nothing says a word of the stream.
    fileprivate func settings(of stream: StreamName) -> StreamSettings? {
        switch stream {
        case .interactions: interactions
        case .logins: logins
        case .lastLogins: lastLogins
        default: nil
        }
    }
}

extension ConfigurationOptions {
    /// The policy that the configuration names for a stream in `data`. A standard file that cannot be made out is
    /// told, and left aside: it may be for another store.
    func namedPolicy(
        of data: String, _ stream: StreamName = .interactions, _ console: Console
    ) throws -> NamedPolicy? {
        do throws(ConfigurationError) {
            return NamedPolicy(try load(), of: data, stream)
        } catch {
            let failure = CommandFailure(error, console)
            if file != nil { throw failure }
            console.say("\(failure.message); whether it names the policy is not known")
            return nil
        }
    }
}
