import NIOCore
import Testing

@testable import daybook

@Suite("Cores")
struct CoresTests {
    @Test("those that a process is bound to are counted")
    func bound() {
        for (list, count) in [("0", 1), ("1", 1), ("0-1", 2), ("0,2-5,63", 6), ("", nil), ("5-2", nil), ("x", nil)] {
            #expect(Cores.allowed(in: "Name:\tx\nCpus_allowed_list:\t\(list)\nMems_allowed:\t1\n") == count, "\(list)")
        }
        #expect(Cores.allowed(in: "Name:\tx\n") == nil)
    }

    @Test("this process may use one at least")
    func usable() {
        #expect((1...System.coreCount).contains(Cores.usable))
    }
}
