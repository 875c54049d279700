import Interactions
import Testing

@Suite("The data of a post")
struct PostedDataTests {
    private typealias Absence = PostedData.Absence

    private func form(_ body: String) -> Result<String, PostedData.Absence> {
        decode(body) { (bytes) throws(Absence) in try PostedData.ofForm(bytes) }
    }

    private func json(_ body: String) -> Result<String, PostedData.Absence> {
        decode(body) { (bytes) throws(Absence) in try PostedData.ofJSON(bytes) }
    }

    private func decode(
        _ body: String, _ find: (UnsafeMutableRawBufferPointer) throws(Absence) -> Range<Int>
    ) -> Result<String, PostedData.Absence> {
        var bytes = Array(body.utf8)
        return bytes.withUnsafeMutableBytes { bytes in
            do throws(Absence) {
                return .success(String(decoding: bytes[try find(bytes)], as: UTF8.self))
            } catch {
                return .failure(error)
            }
        }
    }

    @Test(
        "a field of a form is decoded",
        arguments: [
            ("data=%7B%22a%22%3A1%7D", #"{"a":1}"#), ("data={}", "{}"), ("a=b&data=%5b1+2%5D&c", "[1 2]"),
            ("%64ata=x", "x"), ("data=a%3Db%26c", "a=b&c"), ("data=a=b", "a=b"), ("data=%", "%"), ("data=%4", "%4"),
            ("data=%zz%41", "%zzA"), ("data=%C3%A9", "é"), ("&&data=1&&", "1"),
            (
                "data=%5B%7B%22timestamp%22%3A1361407200000%2C%22lang%22%3A%22en%22%7D%5D",
                #"[{"timestamp":1361407200000,"lang":"en"}]"#
            ),
        ])
    func forms(body: String, value: String) {
        #expect(form(body) == .success(value))
    }

    @Test("a form without the field, or with an empty one, is malformed; with two it is no JSON")
    func badForms() {
        for body in ["", "data", "data=", "datum=1", "Data=1", "x&y=data", "=data", "data%3D1", "dat=a", "data1=1"] {
            #expect(form(body) == .failure(.malformed), "\(body)")
        }
        #expect(form("data=1&x=2&data=1") == .failure(.notJSON))
    }

    @Test(
        "a member of an object is taken, a string unescaped",
        arguments: [
            (#"{"data":"{\"a\":1}"}"#, #"{"a":1}"#), (#" { "csrf" : "x" , "data" : [1] } "#, "[1]"),
            (#"{"data":{"data":{}}}"#, #"{"data":{}}"#), (#"{"\u0064ata":"x"}"#, "x"), (#"{"data":17}"#, "17"),
            (#"{"data":"\b\f\n\r\t\/\\\""}"#, "\u{8}\u{C}\n\r\t/\\\""),
            (#"{"data":"\u00e9\u20ac\ud83d\ude00é"}"#, "é€😀é"), (#"{"data":"1","data":"2"}"#, "2"),
            (#"{"data":"\u0000"}"#, "\0"),
        ])
    func objects(body: String, value: String) {
        #expect(json(body) == .success(value))
    }

    @Test("a body that is no such object is malformed; null is no JSON")
    func badObjects() {
        for body in [
            "", "[]", "17", "{}", #"{"a":1}"#, #"{"data":""}"#, #"{"data":"x"} x"#, #"{"data":"x""#, #"{"data":}"#,
            #"{"data":"\ud83d"}"#, #"{"data":"x",}"#, #"{"x":{"data":1}}"#, #"{data:1}"#,
        ] {
            #expect(json(body) == .failure(.malformed), "\(body)")
        }
        #expect(json(#"{"data":null}"#) == .failure(.notJSON))
    }

    @Test("a form of nothing but separators takes no longer than it has bytes")
    func manyFields() {
        #expect(form(String(repeating: "&", count: 4 << 20)) == .failure(.malformed))
    }
}
