import SegmentFormat

@testable import Forwarding

/// A storage server as its log remembers deliveries (SPEC P4): of each epoch the highest number and its answer.
struct SimulatedServer {
    private(set) var stored: [UInt64: Int] = [:]
    private var memory: [UInt64: (number: UInt64, accepted: Int)] = [:]
    /// Numbers must rise, or come again as the same batch.
    private var contents: [UInt64: Stretch] = [:]
    private(set) var flaw: String?

    mutating func take(_ shipment: Shipment, _ sequences: ArraySlice<UInt64>) -> ShipmentAnswer.Receipt {
        let (epoch, number) = (shipment.binding.epoch, shipment.binding.number)
        if let known = contents[number], known != shipment.stretch { flaw = "number \(number) names two batches" }
        contents[number] = shipment.stretch
        if let last = memory[epoch], number <= last.number {
            return .init(accepted: number == last.number ? last.accepted : 0, discarded: 0)
        }
        for sequence in sequences { stored[sequence, default: 0] += 1 }
        memory[epoch] = (number, sequences.count)
        return .init(accepted: sequences.count, discarded: 0)
    }
}
