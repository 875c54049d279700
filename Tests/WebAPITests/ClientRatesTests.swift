import NIOCore
import TestSupport
import Testing

@testable import WebAPI

@Suite("rates of clients")
struct ClientRatesTests {
    private static let second: UInt64 = 1_000_000_000
    private typealias Rates = ClientRates<Int>

    @Test("a burst at once, then the rate; the wait that is told is enough and no more")
    func table() {
        var rates = Rates(.init(perSecond: 2, burst: 3), capacity: 10)
        let table: [(milliseconds: UInt64, waits: UInt64?)] = [
            (0, nil), (0, nil), (0, nil), (0, 500), (100, 400), (499, 1), (500, nil), (500, 500), (999, 1),
            (1_000, nil), (10_000, nil), (10_000, nil), (10_000, nil), (10_000, 500),
        ]
        for row in table {
            let decision = rates.admit(1, now: 5 * Self.second + row.milliseconds * 1_000_000)
            #expect(decision == row.waits.map { .refused(wait: $0 * 1_000_000) } ?? .admitted, "\(row)")
        }
    }

    @Test("a refused request costs nothing, and clients do not pay for each other")
    func independence() {
        var rates = Rates(.init(perSecond: 1, burst: 1), capacity: 10)
        #expect(rates.admit(1, now: 0) == .admitted)
        for _ in 0..<100 { #expect(rates.admit(1, now: 0) == .refused(wait: Self.second)) }
        #expect(rates.admit(2, now: 0) == .admitted)
        #expect(rates.admit(1, now: Self.second) == .admitted)
    }

    @Test("the table is bounded, and the client that was silent longest is forgotten")
    func bounded() {
        var rates = Rates(.init(perSecond: 1, burst: 1), capacity: 3)
        for key in [1, 2, 3] { #expect(rates.admit(key, now: 0) == .admitted) }
        #expect(rates.admit(1, now: 0) != .admitted)
        // 2 goes.
        #expect(rates.admit(4, now: 0) == .admitted)
        #expect(rates.admit(1, now: 0) != .admitted)
        #expect(rates.admit(3, now: 0) != .admitted)
        #expect(rates.admit(2, now: 0) == .admitted)
        #expect(rates.count == 3)
    }

    @Test("it does what a list of who was admitted when would do", arguments: 1...20 as ClosedRange<UInt64>)
    func model(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let rate = RequestLimits.ClientRate(perSecond: Int(random.next() % 5) + 1, burst: Int(random.next() % 4) + 1)
        let interval = Self.second / UInt64(rate.perSecond)
        var rates = Rates(rate, capacity: 3)
        var (order, full): ([Int], [Int: UInt64]) = ([], [:])
        var now: UInt64 = 0
        for step in 0..<500 {
            now += random.next() % (Self.second / 3)
            let key = Int(random.next() % 5)
            order.removeAll { $0 == key }
            order.append(key)
            if order.count > 3 { full[order.removeFirst()] = nil }
            let next = max(full[key] ?? 0, now) + interval
            let isAdmitted = next - now <= interval * UInt64(rate.burst)
            if isAdmitted { full[key] = next }
            let expected: Rates.Decision =
                isAdmitted ? .admitted : .refused(wait: next - now - interval * UInt64(rate.burst))
            #expect(rates.admit(key, now: now) == expected, "seed \(seed), step \(step)")
        }
    }

    @Test("a client is an IPv4 address, or the network of an IPv6 address")
    func clients() throws {
        func client(_ address: String) throws -> Client { Client(try SocketAddress(ipAddress: address, port: 9)) }
        #expect(try client("192.0.2.1") == Client(try SocketAddress(ipAddress: "192.0.2.1", port: 10)))
        #expect(try client("192.0.2.1") != client("192.0.2.2"))
        #expect(try client("::ffff:192.0.2.1") == client("192.0.2.1"))
        #expect(try client("2001:db8:1:2::1") == client("2001:db8:1:2:ffff::9"))
        #expect(try client("2001:db8:1:2::1") != client("2001:db8:1:3::1"))
        #expect(try client("::1") != Client(nil))
        #expect(Client(try SocketAddress(unixDomainSocketPath: "socket")) == Client(nil))
    }
}
