import Logging

/// The talk of a server as records of its log.
struct LogSink: ConsoleSink {
    let logger: Logger
    let base: any ConsoleSink

    var isTerminal: Bool { base.isTerminal }
    var writesToTerminal: Bool { base.writesToTerminal }
    var isClosed: Bool { base.isClosed }

    func write(_ output: UnsafeRawBufferPointer) throws { try base.write(output) }

    func show(_ talk: String) {
        for line in talk.split(separator: "\n") { logger.notice("\(line)") }
    }
}

extension Console {
    /// What a server says: text on a terminal, elsewhere one JSON object a line.
    var logger: Logger {
        let format: LineLogHandler.Format = isTerminal ? .text : .json
        let handler = LineLogHandler(format) { [self] in show($0) }
        return Logger(label: "daybook", factory: { _ in handler })
    }

    /// A console whose talk is kept in a log.
    func logging(to logger: Logger) -> Console { Console(LogSink(logger: logger, base: sink)) }
}
