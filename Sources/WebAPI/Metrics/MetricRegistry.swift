import CoreMetrics
import Synchronization

// The one factory behind swift-metrics. It is handed to those who count and never installed as the process's
// own, so that each server of a test has its numbers. What it does not know is a mistake of ours, not a client's.

/// Keeps the series of the metrics that were described to it.
final class MetricRegistry: MetricsFactory {
    private enum Series {
        case counter(CounterSeries)
        case gauge(GaugeSeries)
        case histogram(HistogramSeries)

        var handler: AnyObject {
            switch self {
            case .counter(let series): series
            case .gauge(let series): series
            case .histogram(let series): series
            }
        }
    }

    private let descriptions: [MetricDescription]
    private let families: Mutex<[String: [[String]: Series]]>

    init(_ descriptions: [MetricDescription]) {
        self.descriptions = descriptions
        families = Mutex(Dictionary(uniqueKeysWithValues: descriptions.map { ($0.name, [:]) }))
    }

    // MARK: - Making

    func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        counter(label, dimensions)
    }

    /// The series of a counter, to be read back.
    func counter(_ label: String, _ dimensions: [(String, String)]) -> CounterSeries {
        let series = series(label, dimensions) { kind in
            kind == .counter ? .counter(CounterSeries()) : nil
        }
        guard case .counter(let counter) = series else { preconditionFailure("\(label) is no counter") }
        return counter
    }

    func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler { gauge(label, dimensions) }

    private func gauge(_ label: String, _ dimensions: [(String, String)]) -> GaugeSeries {
        let series = series(label, dimensions) { kind in kind == .gauge ? .gauge(GaugeSeries()) : nil }
        guard case .gauge(let gauge) = series else { preconditionFailure("\(label) is no gauge") }
        return gauge
    }

    func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        aggregate ? histogram(label, dimensions, isTime: false) : gauge(label, dimensions)
    }

    func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        histogram(label, dimensions, isTime: true)
    }

    private func histogram(_ label: String, _ dimensions: [(String, String)], isTime: Bool) -> HistogramSeries {
        let series = series(label, dimensions) { kind in
            guard case .histogram(let bounds) = kind else { return nil }
            return .histogram(HistogramSeries(bounds: bounds, isTime: isTime))
        }
        guard case .histogram(let histogram) = series else { preconditionFailure("\(label) is no histogram") }
        return histogram
    }

    /// The same for the same labels, whoever asks.
    private func series(
        _ label: String, _ dimensions: [(String, String)], make: (MetricDescription.Kind) -> Series?
    ) -> Series {
        guard let description = descriptions.first(where: { $0.name == label }) else {
            preconditionFailure("\(label) is not described")
        }
        precondition(description.labels == dimensions.map(\.0), "\(label) has the labels \(description.labels)")
        let values = dimensions.map(\.1)
        return families.withLock { families in
            if let known = families[label]?[values] { return known }
            guard let made = make(description.kind) else {
                preconditionFailure("\(label) is a \(description.kind.name)")
            }
            families[label]?[values] = made
            return made
        }
    }

    func destroyCounter(_ handler: any CounterHandler) { remove(handler) }
    func destroyMeter(_ handler: any MeterHandler) { remove(handler) }
    func destroyRecorder(_ handler: any RecorderHandler) { remove(handler) }
    func destroyTimer(_ handler: any TimerHandler) { remove(handler) }

    private func remove(_ handler: AnyObject) {
        families.withLock { families in
            for (label, series) in families { families[label] = series.filter { $0.value.handler !== handler } }
        }
    }

    // MARK: - Telling

    func write(to exposition: inout TextExposition) {
        let families = families.withLock { $0 }
        for description in descriptions {
            exposition.begin(description)
            let series = (families[description.name] ?? [:]).sorted { $0.key.lexicographicallyPrecedes($1.key) }
            for (values, series) in series { Self.write(series, description, values, to: &exposition) }
        }
    }

    private static func write(
        _ series: Series, _ description: MetricDescription, _ values: [String],
        to exposition: inout TextExposition
    ) {
        let labels = Array(zip(description.labels, values))
        switch series {
        case .counter(let counter): exposition.sample(description.name, labels, Double(counter.value))
        case .gauge(let gauge): exposition.sample(description.name, labels, gauge.value)
        case .histogram(let histogram):
            guard case .histogram(let bounds) = description.kind else { return }
            exposition.histogram(
                description.name, labels, bounds: bounds, buckets: histogram.buckets, sum: histogram.sum)
        }
    }
}
