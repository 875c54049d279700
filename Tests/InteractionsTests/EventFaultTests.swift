import Interactions
import StrictJSON
import Testing

@Suite("Faults explain themselves")
struct EventFaultTests {
    @Test("reasons are in snake case and no two messages are alike")
    func reasons() {
        let reasons = EventFault.Reason.allCases
        #expect(
            reasons.allSatisfy {
                $0.rawValue.utf8.allSatisfy { $0 == 0x5F || (0x61...0x7A).contains($0) || $0 == 0x38 }
            })
        #expect(Set(reasons.map(\.message)).count == reasons.count)
    }

    @Test("the timestamp's rule is spelled out")
    func timestampMessage() {
        let message = "the timestamp must be an integer from 1 to 253402300799999, without fraction or exponent"
        #expect(EventFault(.invalidTimestamp, at: 13).message == message)
        #expect("\(EventFault(.invalidTimestamp, at: 13))" == "byte 13: \(message)")
    }

    @Test("a fault in a body names line and byte")
    func lineFault() {
        let fault = LineFault(line: 3, offset: 512, fault: EventFault(.missingTimestamp, at: 12))
        #expect("\(fault)" == "line 3, byte 512: the event has no timestamp")
    }
}
