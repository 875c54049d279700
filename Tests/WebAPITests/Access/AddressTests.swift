import Testing

@testable import WebAPI

@Suite("addresses (AC8)")
struct AddressTests {
    @Test(
        "blocks",
        arguments: [
            ("10.0.0.0/8", "10.1.2.3", true), ("10.0.0.0/8", "11.1.2.3", false), ("10.1.2.3", "10.1.2.3", true),
            ("10.1.2.3", "10.1.2.4", false), ("0.0.0.0/0", "1.2.3.4", true), ("0.0.0.0/0", "::1", false),
            ("192.168.4.0/22", "192.168.7.255", true), ("192.168.4.0/22", "192.168.8.0", false),
            ("::1", "::1", true), ("fd00::/8", "fd12::1", true), ("fd00::/8", "fc00::1", false),
            ("10.0.0.0/8", "::ffff:10.0.0.1", true), ("::/0", "10.0.0.1", false), ("10.1.2.3/32", "10.1.2.3", true),
        ])
    func blocks(block: String, address: String, isIn: Bool) throws {
        #expect(try #require(AddressBlock(block)).contains(try #require(IPAddress(address))) == isIn)
    }

    @Test(
        "what is no block",
        arguments: [
            "", "x", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/08", "10.0.0.1/8", "::/129",
            "fd00::1/8", "10.0.0", "localhost", "10.0.0.0/8/8", " 10.0.0.1", "010.0.0.1",
        ])
    func noBlock(text: String) { #expect(AddressBlock(text) == nil) }
}
