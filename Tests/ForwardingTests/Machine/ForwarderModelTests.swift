import Testing

@testable import Forwarding

@Suite("Whatever servers, network and crashes do")
struct ForwarderModelTests {
    @Test("each event is stored by one server, once", arguments: 0..<60)
    func exactlyOnce(seed: Int) {
        var simulation = Simulation(seed: UInt64(seed), .init(servers: 1 + seed % 3))
        simulation.run()
        #expect(simulation.events.count > 100)
        #expect(simulation.flaws.prefix(3).isEmpty, "seed \(seed): \(simulation.flaws.prefix(3))")
    }

    @Test("without crashes the tally tells of each event once", arguments: 0..<20)
    func tally(seed: Int) {
        var simulation = Simulation(seed: UInt64(1_000 + seed), .init(crashes: false))
        simulation.run()
        #expect(simulation.flaws.prefix(3).isEmpty, "seed \(seed): \(simulation.flaws.prefix(3))")
    }

    @Test("batches that servers refuse for themselves keep the others from nothing", arguments: 0..<20)
    func poison(seed: Int) {
        var simulation = Simulation(seed: UInt64(2_000 + seed), .init(poison: 7))
        simulation.run()
        #expect(simulation.flaws.prefix(3).isEmpty, "seed \(seed): \(simulation.flaws.prefix(3))")
    }

    @Test("with reassignment nothing is lost, and no more is doubled than was reassigned", arguments: 0..<20)
    func reassignment(seed: Int) {
        var simulation = Simulation(seed: UInt64(3_000 + seed), .init(reassigns: true))
        simulation.run()
        #expect(simulation.flaws.prefix(3).isEmpty, "seed \(seed): \(simulation.flaws.prefix(3))")
    }
}
