import Interactions
import SegmentFormat
import StrictJSON
import Testing

@Suite("Posted ids are dropped")
struct DroppedMemberTests {
    @Test(
        "a dropped member takes exactly one comma with it",
        arguments: [
            // first, middle, last
            (#"{"_id":1,"timestamp":600,"a":2}"#, #"{"timestamp":600,"a":2}"#),
            (#"{"timestamp":600,"_id":1,"a":2}"#, #"{"timestamp":600,"a":2}"#),
            (#"{"timestamp":600,"a":2,"_id":1}"#, #"{"timestamp":600,"a":2}"#),
            (#"{"_rev":"1-ab","timestamp":600}"#, #"{"timestamp":600}"#),
            (#"{"timestamp":600,"_rev":"1-ab"}"#, #"{"timestamp":600}"#),
            // several
            (#"{"_id":1,"_rev":2,"timestamp":600}"#, #"{"timestamp":600}"#),
            (#"{"timestamp":600,"_id":1,"_rev":2}"#, #"{"timestamp":600}"#),
            (#"{"_id":1,"timestamp":600,"_rev":2}"#, #"{"timestamp":600}"#),
            (
                #"{"_id":1,"_id":2,"a":3,"_rev":4,"_id":5,"timestamp":600,"_id":6,"_rev":7}"#,
                #"{"a":3,"timestamp":600}"#
            ),
            (#"{"a":1,"_id":2,"b":3,"_id":4,"timestamp":600,"_id":5}"#, #"{"a":1,"b":3,"timestamp":600}"#),
            // escaped
            (#"{"\u005fid":1,"timestamp":600}"#, #"{"timestamp":600}"#),
            (#"{"timestamp":600,"\u005F\u0072\u0065\u0076":1}"#, #"{"timestamp":600}"#),
            (#"{"timestamp":600,"\u005fids":1,"_\u0069":2}"#, #"{"timestamp":600,"\u005fids":1,"_\u0069":2}"#),
            // any value
            (#"{"_id":{"_id":[1,"}"]},"timestamp":600}"#, #"{"timestamp":600}"#),
            (#"{"timestamp":600,"_rev":[{"a":"\"]}"},null]}"#, #"{"timestamp":600}"#),
            // with a timestamp that shrinks before and after
            (#"{"timestamp":1199,"a":1,"_id":2}"#, #"{"timestamp":600,"a":1}"#),
            (#"{"_id":2,"a":1,"timestamp":1}"#, #"{"a":1,"timestamp":0}"#),
            (#"{"timestamp":1,"_id":2,"a":1,"_rev":2}"#, #"{"timestamp":0,"a":1}"#),
        ])
    func dropped(input: String, line: String) {
        #expect(scan(input).stored?.text == line)
    }

    @Test(
        "what lies between the member and its comma goes too, the space around both stays",
        arguments: [
            (#"{ "_id" : 1 , "timestamp":600 }"#, #"{  "timestamp":600 }"#),
            (#"{"timestamp":600 , "_id" : 1 , "a":2}"#, #"{"timestamp":600 ,  "a":2}"#),
            (#"{"timestamp":600 , "_id":1 }"#, #"{"timestamp":600  }"#),
            (#"{"timestamp":600 , "_id":1 , "_rev":2 }"#, #"{"timestamp":600  }"#),
            ("{\"timestamp\":600,\n\"_id\":1\n}", "{\"timestamp\":600 }"),
        ])
    func space(input: String, line: String) {
        #expect(scan(input).stored?.text == line)
    }

    @Test("a fault in a dropped member is a fault of the event")
    func faultInside() {
        #expect(scan(#"{"_id":01,"timestamp":600}"#).fault == EventFault(.invalidNumber, at: 8))
        #expect(scan(#"{"timestamp":600,"_id":1,}"#).fault == EventFault(.syntax, at: 25))
    }
}
