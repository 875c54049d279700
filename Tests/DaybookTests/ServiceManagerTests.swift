import Glibc
import Synchronization
import TestSupport
import Testing

@testable import daybook

@Suite("what systemd is told (K5)")
struct ServiceManagerTests {
    /// A datagram socket at a path, or at an abstract name that begins with `@`.
    private struct Receiver: ~Copyable {
        let descriptor: Int32

        init(_ name: String) throws {
            descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { place in
                place.copyBytes(from: Array(name.utf8))
                if name.hasPrefix("@") { place[0] = 0 }
            }
            let length = socklen_t(MemoryLayout<sa_family_t>.size + name.utf8.count)
            let code = withUnsafePointer(to: &address) { address in
                address.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
            }
            try #require(code == 0)
        }

        deinit { close(descriptor) }

        /// What waits there; `nil` for nothing.
        func next() -> String? {
            var bytes = [UInt8](repeating: 0, count: 64)
            let count = recv(descriptor, &bytes, bytes.count, Int32(MSG_DONTWAIT))
            return count < 0 ? nil : String(decoding: bytes[..<count], as: UTF8.self)
        }
    }

    @Test("at a path and at an abstract name")
    func states() throws {
        let directory = try TemporaryDirectory()
        for name in ["\(directory.path)/notify", "@daybook-test-\(getpid())-\(UInt64.random(in: .min ... .max))"] {
            let receiver = try Receiver(name)
            let manager = ServiceManager(socket: name)
            #expect(manager.tell(.ready) == nil)
            #expect(receiver.next() == "READY=1")
            #expect(manager.tell(.stopping) == nil)
            #expect(receiver.next() == "STOPPING=1" && receiver.next() == nil)
        }
    }

    @Test("nobody is told where nobody asks; what cannot be told is said")
    func failures() {
        #expect(ServiceManager(socket: nil).tell(.ready) == nil)
        #expect(ServiceManager(socket: "").tell(.ready) == nil)
        #expect(ServiceManager(socket: "/nowhere/notify").tell(.ready) == "NOTIFY_SOCKET: No such file or directory")
        let long = "/" + String(repeating: "a", count: 200)
        #expect(ServiceManager(socket: long).tell(.ready)?.contains("longer") == true)
    }

    @Test("the last of so many counts, and only that")
    func countdown() {
        let calls = Mutex(0)
        let countdown = Countdown(3) { calls.withLock { $0 += 1 } }
        for expected in [0, 0, 1, 1] {
            countdown.count()
            #expect(calls.withLock { $0 } == expected)
        }
    }
}
