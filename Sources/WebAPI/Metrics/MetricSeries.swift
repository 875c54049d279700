import CoreMetrics
import Synchronization

// What the numbers are kept in. Requests are counted here on every event loop at once, so nothing takes a
// lock: a relaxed add is 6 ns.

final class CounterSeries: CounterHandler {
    private let count = Atomic<Int64>(0)

    var value: Int64 { count.load(ordering: .relaxed) }

    func increment(by amount: Int64) { count.wrappingAdd(amount, ordering: .relaxed) }
    func reset() { count.store(0, ordering: .relaxed) }
}

final class GaugeSeries: MeterHandler, RecorderHandler {
    private let bits = Atomic<UInt64>(0)

    var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }

    func set(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }
    func set(_ value: Int64) { set(Double(value)) }
    func record(_ value: Double) { set(value) }
    func record(_ value: Int64) { set(value) }
    func increment(by amount: Double) { add(amount) }
    func decrement(by amount: Double) { add(-amount) }

    private func add(_ amount: Double) {
        var seen = bits.load(ordering: .relaxed)
        while true {
            let sum = (Double(bitPattern: seen) + amount).bitPattern
            let result = bits.compareExchange(expected: seen, desired: sum, ordering: .relaxed)
            if result.exchanged { return }
            seen = result.original
        }
    }
}

/// Times are kept in nanoseconds and told in seconds; anything else is told as it is recorded.
final class HistogramSeries: TimerHandler, RecorderHandler {
    /// Of the values, in the unit in which they are recorded.
    private let bounds: [Int64]
    /// Ours alone until the end of our life.
    nonisolated(unsafe) private let counts: UnsafeMutableBufferPointer<Atomic<Int64>>
    private let total = Atomic<Int64>(0)
    private let scale: Double

    /// - Parameter isTime: the bounds are seconds.
    init(bounds: [Double], isTime: Bool) {
        let scale: Double = isTime ? 1_000_000_000 : 1
        self.scale = scale
        self.bounds = bounds.map { Int64(($0 * scale).rounded()) }
        counts = .allocate(capacity: bounds.count + 1)
        for index in counts.indices { counts.initializeElement(at: index, to: Atomic(0)) }
    }

    deinit { counts.deinitialize().deallocate() }

    /// Of each bucket alone; the last has no bound.
    var buckets: [Int64] { counts.indices.map { counts[$0].load(ordering: .relaxed) } }
    var sum: Double { Double(total.load(ordering: .relaxed)) / scale }

    func recordNanoseconds(_ duration: Int64) { record(duration) }
    func record(_ value: Double) { record(Int64(value.rounded())) }
    func record(_ value: Int64) {
        var bucket = 0
        while bucket < bounds.count, value > bounds[bucket] { bucket += 1 }
        counts[bucket].wrappingAdd(1, ordering: .relaxed)
        total.wrappingAdd(value, ordering: .relaxed)
    }
}
