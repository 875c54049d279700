import ArgumentParser
import LogEngine
import SegmentFormat
import WebAPI

/// How `read` writes events.
enum EventFormat: String, ExpressibleByArgument, CaseIterable, Sendable {
    case ndjson
    case rows
    /// LZ4 frames of the lines.
    case lz4
}

/// Writes the events of scans of lines.
struct EventPrinter {
    private let format: EventFormat
    private let console: Console
    private var isFirstRow = true
    private var row: [UInt8] = []

    init(_ format: EventFormat, _ console: Console) {
        self.format = format
        self.console = console
    }

    /// - Parameter skipped: lines at the front that are not written.
    mutating func write(_ chunk: ScanChunk, of store: StoreID, dropping skipped: Int = 0) throws {
        guard format == .rows || skipped > 0 else { return try console.write(chunk.bytes) }
        var line = 0
        try chunk.forEachLine { bytes, sequence in
            line += 1
            guard line > skipped else { return }
            guard format == .rows else {
                try console.write(bytes)
                return try console.write("\n")
            }
            try write(EventRow(bytes, id: EventID(store: store, sequence: sequence)))
        }
    }

    private mutating func write(_ source: EventRow) throws {
        try console.write(isFirstRow ? "[" : ",\n")
        isFirstRow = false
        if row.count < source.maximumByteCount { row = [UInt8](repeating: 0, count: source.maximumByteCount) }
        try row.withUnsafeMutableBytes { place in
            guard let base = place.baseAddress else { return }
            let count = source.write(to: base)
            try console.write(UnsafeRawBufferPointer(rebasing: place[..<count]))
        }
    }

    /// Writes what ends the answer.
    func finish() throws {
        if format == .rows { try console.write(isFirstRow ? "[]\n" : "]\n") }
    }
}

extension ScanSummary {
    /// Names what could not be read, and fails where there is anything.
    func check(_ console: Console) throws {
        guard !isComplete else { return }
        for found in faults { console.say(found.description) }
        throw CommandFailure(.data, "some events could not be read")
    }
}
