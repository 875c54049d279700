import LogEngine
import SegmentFormat
import Settings
import TestSupport
import Testing

@testable import daybook

@Suite("policies that a file names")
struct NamedPolicyTests {
    private static func configuration(_ data: String, _ policy: String, in file: String) throws -> Configuration {
        let text = "streams:\n  interactions:\n    policy: \(policy)\n    path: \(data)\n"
        try WholeFile.write(Array(text.utf8), to: file)
        return try Configuration.load(file, Overrides(), .ours) { _ in nil }
    }

    @Test("the store takes it up, and says so where it changes something")
    func takenUp() async throws {
        let directory = try TemporaryDirectory()
        let (data, file) = ("\(directory.path)/data", "\(directory.path)/c.yml")
        let log = try EventLog.open(data, options: LogOptions(), environment: .system)
        try await log.setPolicy(RetentionPolicy(maxBytes: 1 << 30))
        for policy in ["{max_age: 2d, min_free: 1GiB}", "{max_age: 2d, min_free: 1GiB}", "forever"] {
            let said = SaidText()
            let named = try #require(NamedPolicy(try Self.configuration(data, policy, in: file)))
            let isNew = log.policy != named.policy
            try await named.takeUp(log, Console(said))
            #expect(said.text == (isNew ? "the policy is now the one that \(named.place) names\n" : ""))
            #expect(log.policy == named.policy)
        }
        #expect(log.policy == .forever)
        try await log.close()
    }

    @Test("it is for the directories of its configuration alone, however they are written")
    func directories() throws {
        let directory = try TemporaryDirectory()
        let (data, file) = ("\(directory.path)/data", "\(directory.path)/c.yml")
        let configuration = try Self.configuration(data, "{max_bytes: 1GiB}", in: file)
        #expect(NamedPolicy(configuration, of: "\(directory.path)/./data/")?.policy.maxBytes == 1 << 30)
        #expect(NamedPolicy(configuration, of: data)?.place == "\(file):3:5")
        #expect(NamedPolicy(configuration, of: "\(directory.path)/other") == nil)
        let unnamed = try Configuration.load(nil, Overrides(flags: ["data": data]), .ours) { _ in nil }
        #expect(NamedPolicy(unnamed, of: data) == nil)
    }

    @Test("beside a server that was configured with one, policy set is refused by the server")
    func served() async throws {
        let directory = try TemporaryDirectory()
        let (data, file) = ("\(directory.path)/data", "\(directory.path)/c.yml")
        let named = try #require(NamedPolicy(try Self.configuration(data, "{max_age: 2d}", in: file)))
        try await withControl(data, named: named) { store async throws in
            let run = try await CommandRun("policy", "set", "--forever", "--data", data)
            #expect(run.status == 78 && run.output.isEmpty)
            #expect(
                run.talk
                    == "daybook: \(file):3:5 names the policy, and wins: change it there, and restart the server\n")
            #expect(store.log.policy == .forever)
            #expect(try await CommandRun("seal", "--data", data).status == 0)
        }
    }

    @Test("a standard file that is faulty does not hinder, one that is asked for does")
    func faulty() async throws {
        let directory = try TemporaryDirectory()
        let data = "\(directory.path)/data"
        try await EventLog.open(data, options: LogOptions(), environment: .system).close()
        let file = try directory.write("threads: lots\n", to: "c.yml")
        let fault = "\(file):1:10: threads: 'lots' is not a whole number from 1 to 256"
        let refused = try await CommandRun("policy", "show", "--data", data, "--config", file)
        #expect(refused.status == 78 && refused.talk == "daybook: \(fault)\n" && refused.output.isEmpty)
        let said = SaidText()
        let told = try ProcessEnvironment.$fixed.withValue(["DAYBOOK_CONFIG": file]) {
            try ConfigurationOptions.parse([]).namedPolicy(of: data, .interactions, Console(said))
        }
        #expect(told == nil && said.text == "\(fault); whether it names the policy is not known\n")
    }
}
