/// A line on the terminal that is drawn again as work goes on, ten times a second at most. Draws
/// nothing where talk does not go to a terminal.
struct Progress {
    private static let interval = Duration.milliseconds(100)

    private let console: Console
    private let isShown: Bool
    private let start = ContinuousClock.now
    private var next = ContinuousClock.now
    private var hasDrawn = false

    init(_ console: Console) {
        self.console = console
        isShown = console.isTerminal
    }

    /// Seconds since the work began.
    var seconds: Double { (ContinuousClock.now - start) / .seconds(1) }

    mutating func draw(_ text: @autoclosure () -> String) {
        guard isShown, ContinuousClock.now >= next else { return }
        next = ContinuousClock.now + Self.interval
        hasDrawn = true
        console.show("\r\u{1B}[K" + text())
    }

    /// Takes the line away.
    mutating func clear() {
        if hasDrawn { console.show("\r\u{1B}[K") }
        hasDrawn = false
    }
}
