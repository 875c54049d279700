import LogEngine
import SegmentFormat
import Settings

/// The policy that a configuration names: it wins over `daybook policy set`.
struct NamedPolicy: Equatable, Sendable {
    let policy: RetentionPolicy
    /// Where it is named.
    let place: String

    /// `nil` where the configuration names none.
    init?(_ configuration: Configuration) {
        guard let policy = configuration.interactions.policy else { return nil }
        self.policy = RetentionPolicy(
            maxAgeMilliseconds: policy.maxAgeMilliseconds, maxBytes: policy.maxBytes.map { UInt64($0) },
            minFreeBytes: policy.minFreeBytes.map { UInt64($0) })
        place = configuration.origin("streams.interactions.policy").description
    }

    /// The same, where the configuration is one of the store in `data`.
    init?(_ configuration: Configuration, of data: String) {
        let all = [configuration.interactions.data] + configuration.storeDirectories
        guard all.contains(where: { DataDirectory.isSame($0, data) }) else { return nil }
        self.init(configuration)
    }

    /// Makes it the policy of a store, which is told where that changes something.
    func takeUp(_ log: EventLog, _ console: Console) async throws {
        guard log.policy != policy else { return }
        try await log.setPolicy(policy)
        console.say("the policy is now the one that \(place) names")
    }

    var refusal: CommandFailure {
        CommandFailure(.configuration, "\(place) names the policy, and wins: change it there, and restart the server")
    }
}

extension ConfigurationOptions {
    /// The policy that the configuration names for the store in `data`. A standard file that cannot be made out is
    /// told, and left aside: it may be for another store.
    func namedPolicy(of data: String, _ console: Console) throws -> NamedPolicy? {
        do throws(ConfigurationError) {
            return NamedPolicy(try load(), of: data)
        } catch {
            let failure = CommandFailure(error, console)
            if file != nil { throw failure }
            console.say("\(failure.message); whether it names the policy is not known")
            return nil
        }
    }
}
