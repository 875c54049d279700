import StrictJSON
import Testing

@testable import Interactions

@Suite("rows of a CouchDB dump")
struct DumpRowTests {
    private func row(_ text: String) throws(EventFault) -> DumpRow {
        let bytes = Array(text.utf8)
        let result: Result<DumpRow, EventFault> = bytes.withUnsafeBytes { bytes in
            do throws(EventFault) { return .success(try DumpRow(bytes)) } catch { return .failure(error) }
        }
        return try result.get()
    }

    private func event(_ text: String) throws -> String? {
        guard case .event(let range) = try row(text) else { return nil }
        return String(decoding: Array(text.utf8)[range], as: UTF8.self)
    }

    @Test(
        "the document is the event, else a value with a timestamp",
        arguments: [
            (
                #"{"id":"a","key":"a","value":{"rev":"1-b"},"doc":{"_id":"a","timestamp":1}}"#,
                #"{"_id":"a","timestamp":1}"#
            ),
            (#"{"doc" : {"timestamp":1} , "value" : {"timestamp":2} }"#, #"{"timestamp":1}"#),
            (#"{"id":"a","key":5,"value":{"timestamp":2,"x":"}]"}}"#, #"{"timestamp":2,"x":"}]"}"#),
            (#"{"value":{"timestamp":2},"doc":null}"#, #"{"timestamp":2}"#),
            (#"{"value":{"timestamp":2,"deleted":true}}"#, #"{"timestamp":2,"deleted":true}"#),
            (#"{"\u0064oc":{"timest\u0061mp":1}}"#, #"{"timest\u0061mp":1}"#),
            (#"{"doc":{"timestamp":"soon"}}"#, #"{"timestamp":"soon"}"#),
        ])
    func events(text: String, expected: String) throws {
        #expect(try event(text) == expected)
    }

    @Test(
        "what is no event has a reason",
        arguments: [
            (#"{"id":"_design/kpi","doc":{"timestamp":1}}"#, .designDocument),
            (#"{"id":"_design\/kpi","doc":{"timestamp":1}}"#, .designDocument),
            (#"{"id":"a","value":{"rev":"2-c","deleted":true},"doc":null}"#, .deleted),
            (#"{"id":"a","value":{"rev":"2-c"},"doc":{"_deleted":true,"timestamp":1}}"#, .deleted),
            (#"{"key":"a","error":"not_found"}"#, .missing), (#"{"id":"a","doc":{"x":1}}"#, .withoutTimestamp),
            (#"{"id":"a","value":{"rev":"1-a"}}"#, .withoutTimestamp), (#"{"key":null,"value":7}"#, .withoutTimestamp),
            (#"{"doc":{"x":{"timestamp":1}}}"#, .withoutTimestamp), ("{}", .withoutTimestamp),
        ] as [(String, DumpRow.Reason)])
    func leftOut(text: String, reason: DumpRow.Reason) throws {
        #expect(try row(text) == .leftOut(reason))
    }

    @Test(
        "a row is read strictly",
        arguments: [
            ("[]", EventFault(.notAnObject, at: 0)), ("7", EventFault(.notAnObject, at: 0)),
            (#"{"a":1,}"#, EventFault(.syntax, at: 7)), (#"{"doc":{"a":[1}}"#, EventFault(.syntax, at: 14)),
            (#"{"doc":{"a":01}}"#, EventFault(.invalidNumber, at: 13)),
            ("{\"doc\":{\"a\":\"\u{1}\"}}", EventFault(.controlCharacter, at: 13)),
            (#"{"doc":{"a":"\ud800"}}"#, EventFault(.loneSurrogate, at: 13)),
            (#"{"doc":{}"#, EventFault(.unexpectedEnd, at: 9)), ("{} x", EventFault(.trailingBytes, at: 2)),
        ])
    func refused(text: String, fault: EventFault) {
        #expect(throws: fault) { try row(text) }
    }

    @Test("a document may be as deep as an event")
    func depth() throws {
        let deepest = String(repeating: "[", count: 63) + String(repeating: "]", count: 63)
        #expect(try event(#"{"doc":{"timestamp":1,"a":\#(deepest)}}"#) != nil)
        #expect(throws: EventFault.self) { try row(#"{"doc":{"timestamp":1,"a":[\#(deepest)]}}"#) }
    }
}
