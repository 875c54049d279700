import Glibc
import TestSupport

@testable import Settings

/// A configuration file of a test, and what is beside it.
struct ConfigurationText: ~Copyable {
    let directory: TemporaryDirectory
    let file: String

    /// - Parameter yaml: `@/` in it is the directory of the test, which has the files `cert.pem`, `ca.pem`,
    ///   `key.pem` (0600), `open.pem` (0644), `subjects.key`, `storage.token`
    ///   and `GeoLite2-Country.mmdb`.
    init(_ yaml: String) throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write(yaml.replacing("@/", with: "\(directory.path)/"), to: "c.yml")
        for name in ["cert.pem", "ca.pem", "key.pem", "open.pem", "GeoLite2-Country.mmdb"] {
            let path = try directory.write(name, to: name)
            chmod(path, name == "key.pem" ? 0o600 : 0o644)
        }
        let key = try directory.write(String(repeating: "5e", count: 32) + "\n", to: "subjects.key")
        chmod(key, 0o600)
        chmod(try directory.write("secret\n", to: "storage.token"), 0o600)
        self.file = file
        self.directory = directory
    }

    func load(
        flags: [String: String] = [:], environment: [String: String] = [:]
    ) throws(ConfigurationError) -> Configuration {
        try Configuration.load(
            file, Overrides(flags: flags, environment: environment), .sample, patternFault: Self.patternFault)
    }

    /// What is refused, line by line; empty where nothing is.
    func faults(flags: [String: String] = [:], environment: [String: String] = [:]) -> [String] {
        do {
            _ = try load(flags: flags, environment: environment)
            return []
        } catch {
            let lines = error.faults.map(\.description) + (error.more > 0 ? ["\(error.more) more"] : [])
            return lines.map { $0.replacing(file, with: "F").replacing("\(directory.path)/", with: "@/") }
        }
    }

    static let patternFault: @Sendable (String) -> String? = { text in
        do {
            _ = try Regex(text)
            return nil
        } catch {
            return "it cannot be compiled"
        }
    }
}

extension Configuration.Defaults {
    static let sample = Configuration.Defaults(
        sealBytes: 256 << 20, sealMilliseconds: 3_600_000, reserveBytes: 64 << 20,
        limits: Limits(
            connections: 10_000, headerBytes: 16 << 10, headerFields: 100, headerDeadline: 10_000,
            bodyDeadline: 120_000, idleTime: 75_000, streamsPerClient: 1_000, streamsPerConnection: 100,
            inFlight: 1_000, bodyBytes: 16 << 20, scanDuration: 21_600_000))
}
