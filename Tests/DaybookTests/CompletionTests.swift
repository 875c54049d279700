import Glibc
import TestSupport
import Testing

@testable import daybook

@Suite("completions and what man pages are made from")
struct CompletionTests {
    private func script(_ shell: String) async throws -> String {
        let run = try await CommandRun("--generate-completion-script", shell)
        #expect(run.status == 0 && run.talk.isEmpty)
        return run.output
    }

    @Test(
        "each shell gets a script that knows every verb and option, and that it accepts",
        arguments: ["bash", "zsh", "fish"])
    func scripts(shell: String) async throws {
        let script = try await script(shell)
        for word in [
            "serve", "ingest", "read", "tail", "stat", "verify", "repair", "seal", "policy", "hold", "dump", "version",
        ] {
            #expect(script.contains(word), "\(word)")
        }
        for option in ["data", "url", "from", "to", "order", "limit", "format", "since", "follow", "on-error", "once"] {
            #expect(script.contains(shell == "fish" ? "-l '\(option)'" : "--\(option)"), "\(option)")
        }
        #expect(script.contains("couchdb") && script.contains("arrival") && script.contains("skip"))
        let directory = try TemporaryDirectory()
        let file = try directory.write(script, to: "script")
        guard system("command -v \(shell) >/dev/null") == 0 else { return }
        #expect(system("\(shell) -n '\(file)'") == 0)
    }

    @Test("bash completes verbs, choices, directories and files")
    func completed() async throws {
        let directory = try TemporaryDirectory()
        let script = try directory.write(try await script("bash"), to: "script")
        mkdir("\(directory.path)/data", 0o755)
        _ = try directory.write("", to: "dump.json")
        let table: [(line: String, expected: String)] = [
            ("daybook re", "read repair"), ("daybook read --format ", "lz4 ndjson rows"),
            ("daybook ingest --on-error s", "skip stop"), ("daybook read --data d", "data"),
            ("daybook ingest d", "data dump.json"), ("daybook tail --si", "--since"),
        ]
        for row in table {
            let words = row.line.split(separator: " ", omittingEmptySubsequences: false)
            let run = """
                cd '\(directory.path)' && source '\(script)' && COMP_WORDS=(\(words.map { "'\($0)'" }.joined(separator: " "))) \
                && COMP_CWORD=\(words.count - 1) && COMP_LINE='\(row.line)' && COMP_POINT=${#COMP_LINE} \
                && _daybook daybook '\(words[words.count - 1])' \
                '\(words[words.count - 2])' 2>/dev/null; printf '%s\\n' "${COMPREPLY[@]%% }" \
                | sort | paste -sd' ' >'\(directory.path)/answer'
                """
            let file = try directory.write(run, to: "run")
            #expect(system("bash '\(file)'") == 0)
            let answer = try #require(WholeFile.read("\(directory.path)/answer"))
            #expect(String(decoding: answer, as: UTF8.self) == row.expected + "\n", "\(row.line)")
        }
    }

    @Test("the command tree is told as JSON, from which man pages are made")
    func tree() async throws {
        let run = try await CommandRun("--experimental-dump-help")
        #expect(run.status == 0)
        #expect(run.output.contains(#""commandName" : "tail""#))
    }
}
