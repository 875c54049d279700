import SegmentFormat

// What a forwarder is told, and what it says.

extension Forwarder {
    public enum Event: Equatable, Sendable {
        /// Events up to here are durable in the spool.
        case available(through: Sequence)
        /// The answer to `cut`; `nil` where there is nothing.
        case cut(Stretch?)
        /// The record of this generation is durable.
        case saved(generation: UInt64)
        case answered(ServerName, number: UInt64, ShipmentAnswer)
        /// Time has passed.
        case time
        /// Servers that failed are tried at once.
        case retry
        /// Do not wait for batches to fill; `false`: do again.
        case drain(Bool)
    }

    public enum Action: Equatable, Sendable {
        /// Find the next batch: events behind this one, as the policy bounds them.
        case cut(after: Sequence)
        case save(ForwardingRecord, generation: UInt64)
        case send(Shipment)
        /// Servers have these events, and the record that says so is durable: the spool may forget them.
        case release(through: Sequence)
    }

    /// Why unknown batches stay where they are.
    public enum ReassignmentFault: Error, Equatable {
        case noOtherServer
        case nothingUnknown
    }
}
