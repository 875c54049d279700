import CoreMetrics
import Testing

@testable import WebAPI

@Suite("the text format of Prometheus")
struct TextExpositionTests {
    @Test("text is what the format says, and no value of a label can leave its quotes")
    func golden() {
        let registry = MetricRegistry([
            .init("a_total", .counter, ["path"], "Says \"a\\b\"\nand more."),
            .init("b", .gauge, [], "No labels."),
            .init("c_seconds", .histogram([0.001, 2.5]), ["kind"], "Times."),
            .init("d", .histogram([1, 10]), [], "Sizes."),
            .init("e", .gauge, [], "None."),
        ])
        Counter(label: "a_total", dimensions: [("path", "x\"} 1\n\\")], factory: registry).increment(by: 3)
        Counter(label: "a_total", dimensions: [("path", "a")], factory: registry).increment()
        Meter(label: "b", factory: registry).set(-0.5)
        let timer = Timer(label: "c_seconds", dimensions: [("kind", "x")], factory: registry)
        for milliseconds in [1, 2, 2_500, 2_501] { timer.recordMilliseconds(milliseconds) }
        Recorder(label: "d", factory: registry).record(10)
        var exposition = TextExposition()
        registry.write(to: &exposition)
        #expect(
            exposition.text == """
                # HELP a_total Says "a\\\\b"\\nand more.
                # TYPE a_total counter
                a_total{path="a"} 1
                a_total{path="x\\"} 1\\n\\\\"} 3
                # HELP b No labels.
                # TYPE b gauge
                b -0.5
                # HELP c_seconds Times.
                # TYPE c_seconds histogram
                c_seconds_bucket{kind="x",le="0.001"} 1
                c_seconds_bucket{kind="x",le="2.5"} 3
                c_seconds_bucket{kind="x",le="+Inf"} 4
                c_seconds_sum{kind="x"} 5.004
                c_seconds_count{kind="x"} 4
                # HELP d Sizes.
                # TYPE d histogram
                d_bucket{le="1"} 0
                d_bucket{le="10"} 1
                d_bucket{le="+Inf"} 1
                d_sum 10
                d_count 1
                # HELP e None.
                # TYPE e gauge

                """)
    }

    @Test(
        "numbers",
        arguments: [
            (0, "0"), (-3, "-3"), (1_795_000_000, "1795000000"), (0.1, "0.1"), (.nan, "NaN"), (.infinity, "+Inf"),
            (-.infinity, "-Inf"), (1e300, "1e+300"), (0.000_05, "5e-05"),
        ] as [(Double, String)])
    func numbers(value: Double, text: String) {
        #expect(TextExposition.number(value) == text)
    }

    @Test("whoever asks for the same labels counts in the same series, until it is destroyed")
    func sharing() {
        let registry = MetricRegistry([.init("a_total", .counter, ["x"], "A."), .init("g", .gauge, [], "G.")])
        let (first, second) = (
            Counter(label: "a_total", dimensions: [("x", "1")], factory: registry),
            Counter(label: "a_total", dimensions: [("x", "1")], factory: registry)
        )
        first.increment()
        second.increment()
        #expect(registry.counter("a_total", [("x", "1")]).value == 2)
        first.destroy()
        #expect(registry.counter("a_total", [("x", "1")]).value == 0)
        let gauge = Meter(label: "g", factory: registry)
        gauge.increment(by: 2.5)
        gauge.decrement()
        Gauge(label: "g", factory: registry).record(4)
        gauge.increment()
        var exposition = TextExposition()
        registry.write(to: &exposition)
        #expect(exposition.text.hasSuffix("\ng 5\n"))
    }

    @Test("counting on many threads loses nothing")
    func concurrency() async {
        let registry = MetricRegistry([
            .init("h_seconds", .histogram([0.001]), [], "H."), .init("g", .gauge, [], "G."),
        ])
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    let timer = Timer(label: "h_seconds", factory: registry)
                    let meter = Meter(label: "g", factory: registry)
                    for _ in 0..<1_000 {
                        timer.recordNanoseconds(2_000_000)
                        meter.increment()
                    }
                }
            }
        }
        var exposition = TextExposition()
        registry.write(to: &exposition)
        #expect(exposition.text.contains("h_seconds_bucket{le=\"0.001\"} 0\n"))
        #expect(exposition.text.contains("h_seconds_count 8000\n"))
        #expect(exposition.text.contains("h_seconds_sum 16\n"))
        #expect(exposition.text.contains("g 8000\n"))
    }

    #if DEBUG
        @Test("a metric that nobody described is a bug")
        func undescribed() async {
            await #expect(processExitsWith: .failure) {
                _ = Counter(label: "unknown_total", dimensions: [], factory: MetricRegistry([]))
            }
        }
    #endif
}
