import Crypto
import Glibc
import SegmentFormat
import TestSupport
import Testing

@testable import UserMetadata

@Suite("Addresses")
struct AddressTextTests {
    @Test(
        "what looks like an address goes, whatever stands around it",
        arguments: [
            ("192.0.2.1", "[address]"), ("from 192.0.2.1.", "from [address]."), ("(192.0.2.1)", "([address])"),
            ("192.0.2.1:443, 10.0.0.7", "[address], [address]"), ("at 192.0.2.1: no", "at [address]: no"),
            ("2001:db8::1", "[address]"), ("[2001:db8::1]:993", "[[address]]:993"),
            ("::1 and ::", "[address] and [address]"),
            ("fe80::1%eth0 up", "[address] up"), ("::ffff:192.0.2.1", "[address]"),
            ("2001:0DB8:0:0:0:0:0:1.", "[address]."), ("010.001.002.003", "[address]"),
            ("http://192.0.2.1/x", "http://[address]/x"), ("ip=192.0.2.1;", "ip=[address];"),
            ("Chrome/120.0.0.0", "Chrome/[address]"),
        ])
    func scrubbed(input: String, output: String) { #expect(text(AddressText.scrubbed(utf8(input))) == output) }

    @Test(
        "anything else stays",
        arguments: [
            "", "10:20:30", "1.2.3", "1.2.3.4.5", "256.1.1.1", "v1.2.3.4", "a.b.c.d", "std::string", "cafe", "12:34",
            "1:2:3:4:5:6:7:8:9", "é192.0.2.1", "imap.example.com", "x::y", "...", ":", "Face: 1.5",
        ])
    func kept(input: String) { #expect(text(AddressText.scrubbed(utf8(input))) == input) }

    @Test("a version behind a product stays where versions do")
    func versions() {
        let agent = "Mozilla/5.0 (X11) Chrome/120.0.0.0 Safari/537.36 via 192.0.2.1"
        let kept = "Mozilla/5.0 (X11) Chrome/120.0.0.0 Safari/537.36 via [address]"
        #expect(text(AddressText.scrubbed(utf8(agent), keepsVersions: true)) == kept)
    }

    @Test(
        "the address of a client is found in each form that clients send",
        arguments: [
            ("192.0.2.1", "192.0.2.1"), ("192.0.2.1:80", "192.0.2.1"), ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]:80", "2001:db8::1"), ("[2001:db8::1]", "2001:db8::1"), ("fe80::1%eth0", "fe80::1"),
            ("localhost", nil), ("", nil), ("192.0.2", nil), ("unix:/run/x", nil),
        ] as [(String, String?)])
    func address(input: String, output: String?) { #expect(AddressText.address(utf8(input)) == output) }
}

@Suite("What never gets through the door")
struct DoorTests {
    @Test("no field that is kept brings an address, an exact time or a device id into a line")
    func planted() {
        let body = #"""
            {"username":"ann","timestamp":"2026-11-21T10:47:13.377Z","type":"login","service":"192.0.2.9",
             "login_method":"otp 192.0.2.10","message":"from 2001:db8::77 port 5","remote_addr":"192.0.2.12",
             "device_info":{"id":"planted-id","remote_addr":"192.0.2.13","user_agent":"x 192.0.2.14",
             "browser":"192.0.2.15","os":"192.0.2.16"}}
            """#
        guard case .success(let line) = addLog(body) else {
            Issue.record("refused")
            return
        }
        for planted in ["192.0.2.", "2001:db8", "planted-id", "10:47", "377"] { #expect(!line.contains(planted)) }
        #expect(line.contains(#""timestamp":"2026-11-21T10:00:00Z""#))
        #expect(line.contains(#""remote_zone":"DE""#))
        #expect(!line.contains("service"))
        #expect(line.contains(#""message":"from [address] port 5""#))
    }

    @Test(
        "the zone is what the client says, else where its address is",
        arguments: [
            (#"{"remote_zone":"IT","remote_addr":"192.0.2.1"}"#, "IT"), (#"{"remote_addr":"192.0.2.1"}"#, "DE"),
            (#"{"remote_addr":"[2001:db8::5]:1"}"#, "FR"), (#"{"remote_addr":"198.51.100.1"}"#, nil),
            (#"{"remote_zone":"","remote_addr":"192.0.2.1"}"#, "DE"),
            (#"{"remote_zone":"192.0.2.200","remote_addr":"192.0.2.1"}"#, "DE"), (#"{"remote_addr":"garbage"}"#, nil),
        ] as [(String, String?)])
    func zone(device: String, zone: String?) throws {
        let question = try withBytes(#"{"username":"a","device_info":\#(device)}"#) { try DeviceQuestion($0, door) }
        #expect(question.device.zone.map(text) == zone)
    }

    @Test("an address that becomes a longer word does not make a line that cannot be read")
    func growing() throws {
        let method = String(repeating: "::1 ", count: 60)
        guard case .success(let line) = addLog(#"{"username":"a","login_method":"\#(method)"}"#) else {
            Issue.record("refused")
            return
        }
        let entry = try withBytes(line) { try StoredLogin($0) }
        #expect(entry.loginMethod == utf8(String(repeating: "[address] ", count: 60)))
    }
}

@Suite("The key of a store")
struct StoreKeyTests {
    @Test("hashes are HMAC-SHA256 under the key, apart by use")
    func hashes() {
        var code = HMAC<SHA256>(key: SymmetricKey(data: Array(0..<32)))
        code.update(data: utf8("device") + [0xFF] + utf8("d1"))
        let hex = testKey.device(utf8("d1")).hex
        let expected = code.finalize().withUnsafeBytes { Array($0) }
        #expect(hex == expected.prefix(16).reversedHalves)
        #expect(testKey.user(utf8("d1")) != testKey.device(utf8("d1")))
        #expect(StoreKey(Array(1...32)).device(utf8("d1")) != testKey.device(utf8("d1")))
        #expect(testKey.device(utf8("d1")) == testKey.device(utf8("d1")))
    }

    @Test("a key file is made once, with mode 0600, and read from then on")
    func made() throws {
        let directory = try TemporaryDirectory()
        let file = KeyFile("\(directory.path)/store.key")
        #expect(throws: KeyFileFault.self) { try file.key(makes: false) { 7 } }
        #expect(WholeFile.read(file.path) == nil)
        let key = try file.key(makes: true) { 7 }
        var status = stat()
        #expect(stat(file.path, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o600)
        let again = try file.key(makes: true) { 8 }
        #expect(again.user(utf8("a")) == key.user(utf8("a")))
        #expect(WholeFile.read(file.path)?.count == 32)
    }

    @Test("a key that others may read, or of another length, is refused and left alone")
    func refused() throws {
        let directory = try TemporaryDirectory()
        let file = KeyFile(try directory.write(String(repeating: "k", count: 32), to: "key"))
        chmod(file.path, 0o640)
        #expect(throws: KeyFileFault.self) { try file.key(makes: true) { 7 } }
        chmod(file.path, 0o600)
        _ = try file.key(makes: true) { 7 }
        for count in [0, 31, 33] {
            let short = KeyFile(try directory.write(String(repeating: "k", count: count), to: "key\(count)"))
            chmod(short.path, 0o600)
            #expect(throws: KeyFileFault.self) { try short.key(makes: true) { 7 } }
            #expect(WholeFile.read(short.path)?.count == count)
        }
    }

    @Test("the default lies beside the data, and a key inside is known as such")
    func place() throws {
        let directory = try TemporaryDirectory()
        let data = "\(directory.path)/data"
        #expect(mkdir(data, 0o700) == 0)
        #expect(KeyFile.standard(data: "\(data)//").path == "\(data).key")
        #expect(!KeyFile.standard(data: data).isInside(data))
        #expect(KeyFile("\(data)/x.key").isInside("\(data)/"))
        #expect(symlink(data, "\(directory.path)/link") == 0)
        #expect(KeyFile("\(directory.path)/link/x.key").isInside(data))
        #expect(KeyFile("/x").isInside("/"))
    }
}

extension ArraySlice<UInt8> {
    /// As `Hash128.hex` has it: the high half, which is stored last, first; both little-endian.
    fileprivate var reversedHalves: String {
        let bytes = Array(self)
        let halves: [[UInt8]] = [bytes[8..<16].reversed(), bytes[0..<8].reversed()]
        return halves.joined().map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }
}
