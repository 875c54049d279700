import Testing

@testable import Interactions

@Suite("Addresses do not get through")
struct AddressTests {
    @Test(
        "these are addresses",
        arguments: [
            "10.0.0.1", "255.255.255.255", "10.0.0.1:8080", "10.0.0.0/8", " 10.0.0.1 ", "10.0.0.1, 192.168.1.77",
            "::", "::1", "2001:db8::ff00:42:8329", "[2001:db8::1]:443", "[::1]", "fe80::1%eth0", "2001:db8::/32",
            "::ffff:192.0.2.128", "2001:DB8::1",
        ])
    func addresses(text: String) { #expect(AddressText.matches(Array(text.utf8))) }

    @Test(
        "these are none",
        arguments: [
            "", "1", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1361407200000", "12:30", "12:30:45", "picker::change",
            "window.dom_loading", "10.0.0.1 and more", "10.0.0.1,", "en", "[10", "10.0.0.1:", "10.0.0.1:123456",
            "xhr_complete.GET/wsapi/session_context", "https://10.0.0.1/", "18.0.1", "a.b.c.d",
        ])
    func others(text: String) { #expect(!AddressText.matches(Array(text.utf8))) }

    @Test(
        "a member that is one goes; deeper a text becomes null and a name empty",
        arguments: [
            (#"{"remote":"10.0.0.1","timestamp":1795168800000}"#, #"{"timestamp":1795168800000}"#, 1),
            (#"{"timestamp":1795168800000,"10.0.0.1":true}"#, #"{"timestamp":1795168800000}"#, 1),
            (#"{"timestamp":1795168800000,"x":"10\u002e0.0.1"}"#, #"{"timestamp":1795168800000}"#, 1),
            (
                #"{"timestamp":1795168800000,"x":{"a":["::1","b"],"::1":{"10.0.0.1":2}}}"#,
                #"{"timestamp":1795168800000,"x":{"a":[null,"b"],"":{"":2}}}"#, 3
            ),
            (
                #"{"timestamp":1795168800000,"event_stream":[["a",1]],"screen_size":{"width":1,"ip":"192.0.2.1"}}"#,
                #"{"timestamp":1795168800000,"event_stream":[["a",1]],"screen_size":{"width":1,"ip":null}}"#, 1
            ),
            (
                #"{"timestamp":1795168800000,"user_agent":{"os":"10.0.0.1","version":"10.0.0.1"}}"#,
                #"{"timestamp":1795168800000,"user_agent":{"os":null,"version":"10"}}"#, 1
            ),
            (#"{"timestamp":1795168800000,"email_type":"::1"}"#, #"{"timestamp":1795168800000}"#, 1),
        ])
    func removal(blob: String, line: String, count: Int) throws {
        let taken = try TakenBlobs(blob)
        #expect(taken.lines == [line])
        #expect(taken.changes == [.address: count])
    }
}
