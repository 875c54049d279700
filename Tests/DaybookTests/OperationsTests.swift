import ArgumentParser
import TestSupport
import Testing

@testable import daybook

/// `tools/cron` and `tools/systemd`: what they run is something that this program does.
@Suite("operations files")
struct OperationsTests {
    private static let tools = #filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" } + "/tools"

    private static func lines(of path: String) throws -> [Substring] {
        let bytes = try #require(WholeFile.read("\(tools)/\(path)"), "\(path) is missing")
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    }

    /// The commands of a unit, without the program.
    private static func commands(ofUnit path: String) throws -> [[String]] {
        try lines(of: path).filter { $0.hasPrefix("ExecStart=") }.map { line in
            line.dropFirst("ExecStart=".count).split(separator: " ").dropFirst().map(String.init)
        }
    }

    /// The commands of a table of /etc/cron.d, without the program, behind five fields of time and the user.
    private static func commands(ofTable path: String) throws -> [[String]] {
        try lines(of: path).filter { $0.first?.isNumber == true || $0.first == "*" }.map { line in
            line.split(separator: " ").dropFirst(7).map(String.init)
        }
    }

    @Test("the unit serves a directory that it may write")
    func server() throws {
        let commands = try Self.commands(ofUnit: "systemd/daybook.service")
        let served = try #require(try commands.map { try Daybook.parseAsRoot($0) } as? [ServeCommand])
        #expect(served.map(\.data) == ["/var/lib/daybook"])
        #expect(try Self.lines(of: "systemd/daybook.service").contains("StateDirectory=daybook"))
    }

    @Test("timer and table run a job on that directory")
    func upkeep() throws {
        let commands = try [
            Self.commands(ofUnit: "systemd/daybook-maintain.service"), Self.commands(ofTable: "cron/daybook"),
        ]
        #expect(
            commands == [[["maintain", "--data", "/var/lib/daybook"]], [["maintain", "--data", "/var/lib/daybook"]]])
        for command in commands.flatMap({ $0 }) {
            let job = try #require(try Daybook.job(command) as? MaintainCommand)
            #expect(job.store.data == "/var/lib/daybook")
        }
    }
}
