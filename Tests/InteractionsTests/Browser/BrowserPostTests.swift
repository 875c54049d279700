import StrictJSON
import Testing

@testable import Interactions

@Suite("The body of a browser's post")
struct BrowserPostTests {
    private static func parse(_ body: String) throws(EventFault) -> (data: String, token: String?) {
        let bytes = Array(body.utf8)
        let result = bytes.withUnsafeBytes { bytes in Result { () throws(EventFault) in try BrowserPost(bytes) } }
        let post = try result.get()
        func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
        return (text(post.data), post.token.map(text))
    }

    @Test(
        "data and token are found wherever they are",
        arguments: [
            (#"{"data":{},"csrf":"abc"}"#, "{}", "abc"), (#" { "csrf" : "abc" , "data" : [ {} ] } "#, "[ {} ]", "abc"),
            (#"{"data":[{"csrf":"no","data":1}],"more":[]}"#, #"[{"csrf":"no","data":1}]"#, nil),
            (#"{"d\u0061ta":7,"csrf":5}"#, "7", nil), (#"{"data":1,"data":2,"csrf":"a","csrf":"b"}"#, "2", "b"),
        ])
    func found(body: String, data: String, token: String?) throws {
        let post = try Self.parse(body)
        #expect(post.data == data)
        #expect(post.token == token)
    }

    @Test(
        "anything else is refused",
        arguments: [
            ("", EventFault.Reason.unexpectedEnd), ("[]", .notAnObject), ("{}", .noEvents),
            (#"{"csrf":"a"}"#, .noEvents),
            (#"{"data":{}"#, .unexpectedEnd), (#"{"data":{}} x"#, .trailingBytes),
            (#"{"data":{"a":01}}"#, .invalidNumber),
            (#"{'data':{}}"#, .syntax), ("data=%5B%5D", .notAnObject),
        ])
    func refused(body: String, reason: EventFault.Reason) {
        #expect(throws: EventFault.self) { try Self.parse(body) }
        do { _ = try Self.parse(body) } catch { #expect(error.reason == reason) }
    }

    @Test("no truncation and no flipped bit of a body is a trap")
    func hostile() throws {
        let body = Array(
            #"{"data":[[{"a":["\u00e9\\",{"b":-1.5e3}],"::1":"10.0.0.1","timestamp":17}]],"csrf":"x"}"#.utf8)
        var variants = (0...body.count).map { Array(body[..<$0]) }
        for bit in 0..<body.count * 8 {
            var copy = body
            copy[bit / 8] ^= 1 << (bit % 8)
            variants.append(copy)
        }
        var taken = 0
        for variant in variants {
            guard let post = try? Self.parse(String(decoding: variant, as: UTF8.self)) else { continue }
            if (try? TakenBlobs(post.data)) != nil { taken += 1 }
        }
        #expect((20..<variants.count).contains(taken))
    }
}
