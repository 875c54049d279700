import Glibc
import TestSupport
import Testing

@testable import Settings

@Suite("secrets")
struct SecretTests {
    private static let hex = String(repeating: "5e", count: 32)
    private static let bytes = [UInt8](repeating: 0x5E, count: 32)

    private static func write(_ text: String, to path: String, mode: mode_t = 0o600) throws {
        try WholeFile.write(Array(text.utf8), to: path)
        chmod(path, mode)
    }

    @Test("a key comes from a variable, the file that one names, a credential, the file that the file names, the file")
    func sources() throws {
        let text = try ConfigurationText("keys: {subjects_file: @/key}\n")
        let root = text.directory.path
        for (index, name) in ["key", "other", "keys.subjects"].enumerated() {
            try Self.write(String(repeating: "0\(index + 1)", count: 32) + "\n", to: "\(root)/\(name)")
        }
        func first(_ environment: [String: String]) throws -> UInt8? {
            try text.load(environment: environment).subjectKey?.bytes.first
        }
        let variable = ["DAYBOOK_KEYS_SUBJECTS": Self.hex]
        let named = ["DAYBOOK_KEYS_SUBJECTS_FILE": "\(root)/other"]
        let credentials = ["CREDENTIALS_DIRECTORY": root]
        #expect(try first([:]) == 1)
        #expect(try first(credentials) == 3)
        #expect(try first(credentials.merging(named) { $1 }) == 2)
        #expect(try first(credentials.merging(named) { $1 }.merging(variable) { $1 }) == 0x5E)
        let written = try ConfigurationText("keys: {subjects: \(Self.hex)}\n")
        chmod(written.file, 0o400)
        #expect(try written.load().subjectKey?.bytes == Self.bytes)
        #expect(try ConfigurationText("").load().subjectKey == nil)
    }

    @Test(
        "a file that others can use is refused",
        arguments: [0o644, 0o640, 0o604, 0o660])
    func modes(mode: mode_t) throws {
        let text = try ConfigurationText("keys: {subjects_file: @/key}\n")
        let path = "\(text.directory.path)/key"
        try Self.write(Self.hex, to: path, mode: mode)
        let octal = String(mode, radix: 8)
        let message = "@/key has the mode 0\(octal); only its owner may use it: chmod 600"
        #expect(text.faults().map { $0.drop { $0 != "k" } } == ["keys.subjects: \(message)"])
        let written = try ConfigurationText("keys:\n  subjects: \(Self.hex)\n")
        chmod(written.file, mode)
        #expect(
            written.faults() == [
                "F:2:13: keys.subjects: F has the mode 0\(octal); only its owner may use it: chmod 600"
            ])
    }

    @Test("what is no key is refused, and not shown")
    func shapes() throws {
        let allowed = "64 to 256 hexadecimal digits, as `openssl rand -hex 32` makes them"
        for value in [String(Self.hex.dropLast()), String(Self.hex.dropLast(2)), Self.hex + "zz", "k"] {
            let text = try ConfigurationText("keys: {subjects: \(value)}\n")
            chmod(text.file, 0o600)
            #expect(text.faults() == ["F:1:18: keys.subjects: the value is not \(allowed)"])
        }
        let both = try ConfigurationText("keys: {subjects: \(Self.hex), subjects_file: @/key.pem}\n")
        #expect(both.faults().contains("F:1:8: keys.subjects: is given, and so is keys.subjects_file; keep one"))
        let missing = try ConfigurationText("keys: {subjects_file: @/none}\n")
        #expect(missing.faults() == ["F:1:23: keys.subjects: @/none cannot be read: No such file or directory"])
    }

    @Test("neither keys nor hashes of tokens are shown by anything")
    func hidden() throws {
        let text = try ConfigurationText(
            "keys: {subjects: \(Self.hex)}\ntokens: [{name: a, sha256: \(Self.hex), scopes: [read]}]\n")
        chmod(text.file, 0o600)
        let configuration = try text.load()
        #expect(configuration.subjectKey?.bytes == Self.bytes && configuration.tokens.first?.sha256 == Self.hex)
        #expect(!configuration.settings.contains { $0.value?.contains("5e5e") ?? false })
        let hidden = configuration.settings.filter { $0.value == nil }.map(\.name)
        #expect(hidden == ["tokens[0].sha256", "keys.subjects"])
        var dumped = ""
        dump(configuration.subjectKey, to: &dumped)
        #expect(
            "\(String(describing: configuration.subjectKey))" + dumped
                == "Optional(***)▿ Optional(***)\n  - some: ***\n")
    }
}
