import Glibc
import TestSupport
import Testing

@testable import Settings

@Suite("settings of user metadata")
struct UserSettingsTests {
    private static let served = "db_uri: @/users\nhttp_server: {}\n"

    @Test("a key file and a database of countries, from the file, a flag or a variable, and from credentials")
    func values() throws {
        let text = try ConfigurationText(Self.served + "key_file: @/key.pem\ncountry_database: @/cert.pem\n")
        let root = text.directory.path
        let users = try text.load().users
        #expect(users.keyFile == "\(root)/key.pem" && users.countryDatabase == "\(root)/cert.pem")
        #expect(try text.load(environment: ["DAYBOOK_KEY_FILE": "\(root)/a"]).users.keyFile == "\(root)/a")
        let flagged = try text.load(
            flags: ["key-file": "\(root)/b"], environment: ["DAYBOOK_KEY_FILE": "\(root)/a"])
        #expect(flagged.users.keyFile == "\(root)/b" && flagged.origin("key_file") == .flag("--key-file"))
        let credential = try ConfigurationText(Self.served + "key_file: $CREDENTIALS_DIRECTORY/key.pem\n")
        let environment = ["CREDENTIALS_DIRECTORY": credential.directory.path]
        #expect(try credential.load(environment: environment).users.keyFile == "\(credential.directory.path)/key.pem")
        #expect(try ConfigurationText(Self.served).load().users.keyFile == nil)
    }

    @Test("what cannot be read or is open to others is refused, and what nothing uses is")
    func faults() throws {
        let missing = try ConfigurationText(Self.served + "key_file: @/none\ncountry_database: @/none\n")
        #expect(
            missing.faults() == [
                "F:4:19: country_database: @/none cannot be read: No such file or directory"
            ])
        let open = try ConfigurationText(Self.served + "key_file: @/open.pem\n")
        #expect(
            open.faults() == [
                "F:3:11: key_file: @/open.pem has the mode 0644; only its owner may use it: chmod 600"
            ])
        let unused = try ConfigurationText("key_file: @/key.pem\ncountry_database: @/cert.pem\n")
        let message = "is used by nothing; it is for listeners of user-metadata"
        #expect(unused.faults() == ["F:1:11: key_file: \(message)", "F:2:19: country_database: \(message)"])
    }
}
