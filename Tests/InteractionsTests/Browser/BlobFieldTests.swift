import Testing

@testable import Interactions

@Suite("The known fields of a blob")
struct BlobFieldTests {
    @Test(
        "a value of the right type and within bounds is taken",
        arguments: [
            #""event_stream":[]"#, #""event_stream":null"#, #""event_stream":[["a",0]]"#,
            #""event_stream":[["a",-1.5,null],["b",3,0,2],["c",1,2,null]]"#, #""email_type":"secondary""#,
            #""email_type":null"#, #""number_emails":0"#, #""number_emails":1000000"#, #""number_emails":2.0"#,
            #""number_sites_logged_in":1"#, #""number_sites_signed_in":null"#, #""number_sites_remembered":7"#,
            #""new_account":true"#, #""orphaned":false"#, #""language":"en_US""#, #""lang":"zh-Hant-TW""#,
            #""lang":null"#,
            #""screen_size":{}"#, #""screen_size":{"width":0,"height":100000,"depth":"x"}"#,
            #""screen_size":{"width":null}"#, #""sample_rate":0"#, #""sample_rate":1.0"#, #""user_agent":{}"#,
            #""user_agent":{"os":"","browser":"B","version":"7","mobile":true}"#, #""user_agent":{"version":18}"#,
            #""lang\u0075age":"en""#,
        ])
    func good(member: String) throws {
        let blob = #"{"timestamp":1795168800000,\#(member)}"#
        #expect(try TakenBlobs(blob).lines.count == 1)
    }

    @Test(
        "a wrong one is named",
        arguments: [
            (#""timestamp":"now""#, "timestamp"), (#""timestamp":0"#, "timestamp"), (#""timestamp":1.5"#, "timestamp"),
            (#""timestamp":253402300800000"#, "timestamp"), (#""timestamp":1e12"#, "timestamp"),
            (#""event_stream":{}"#, "event_stream"), (#""event_stream":["a"]"#, "event_stream[0]"),
            (#""event_stream":[["a",1],["b"]]"#, "event_stream[1]"),
            (#""event_stream":[["a",1,2,3,4]]"#, "event_stream[0]"),
            (#""event_stream":[[1,1]]"#, "event_stream[0][0]"), (#""event_stream":[["",1]]"#, "event_stream[0][0]"),
            (#""event_stream":[["a","1"]]"#, "event_stream[0][1]"),
            (#""event_stream":[["a",1e14]]"#, "event_stream[0][1]"),
            (#""event_stream":[["a",1,"2"]]"#, "event_stream[0][2]"),
            (#""event_stream":[["a",1,2,-1]]"#, "event_stream[0][3]"),
            (#""email_type":7"#, "email_type"), (#""email_type":"""#, "email_type"),
            (#""number_emails":-1"#, "number_emails"), (#""number_emails":1.5"#, "number_emails"),
            (#""number_emails":1000001"#, "number_emails"), (#""number_emails":1e999"#, "number_emails"),
            (#""number_sites_logged_in":"1""#, "number_sites_logged_in"),
            (#""number_sites_signed_in":[]"#, "number_sites_signed_in"),
            (#""number_sites_remembered":true"#, "number_sites_remembered"),
            (#""new_account":0"#, "new_account"), (#""orphaned":"no""#, "orphaned"),
            (#""language":"en US""#, "language"),
            (#""lang":"""#, "lang"), (#""lang":["en"]"#, "lang"),
            (#""screen_size":[1,2]"#, "screen_size"), (#""screen_size":{"width":-1}"#, "screen_size.width"),
            (#""screen_size":{"height":100001}"#, "screen_size.height"), (#""sample_rate":1.01"#, "sample_rate"),
            (#""sample_rate":"1""#, "sample_rate"), (#""user_agent":"Mozilla/5.0""#, "user_agent"),
            (#""user_agent":{"os":7}"#, "user_agent.os"), (#""user_agent":{"version":-1}"#, "user_agent.version"),
            (#""user_agent":{"version":{}}"#, "user_agent.version"), (#""lang\u0075age":5"#, "language"),
        ])
    func bad(member: String, field: String) throws {
        let fault = try #require(blobFault(of: "{\(member)}"))
        #expect(fault.reason == .badField)
        #expect(fault.field == field)
        #expect(fault.message.hasPrefix("blob 0, \(field): it is "))
    }

    @Test("every known field has a rule or is dropped")
    func everyField() {
        for field in BlobField.allCases where ![.localTimestamp, .id, .revision].contains(field) {
            // No field takes an array in an array of a truth.
            #expect(blobFault(of: #"{"\#(field.rawValue)":[[true]]}"#)?.field?.hasPrefix(field.rawValue) == true)
        }
    }
}
