import Interactions
import SegmentFormat

/// A line of the input that was refused.
struct RefusedLine: Error, Equatable {
    let line: Int
    let offset: Int
    let reason: String
    let message: String

    var description: String { "line \(line), byte \(offset): \(message) (\(reason))" }

    init(line: Int, offset: Int, reason: String, message: String) {
        self.line = line
        self.offset = offset
        self.reason = reason
        self.message = message
    }

    init(_ fault: LineFault, in batch: InputBatch) {
        self.init(
            line: batch.firstLine + fault.line - 1, offset: batch.offset + fault.offset,
            reason: fault.fault.reason.rawValue, message: fault.fault.message)
    }
}

/// What becomes of a bad line.
enum RefusalPolicy: String, CaseIterable, Sendable {
    /// Its batch is not stored, and nothing after it.
    case stop
    /// It is left out and told of; the rest is stored.
    case skip
}

extension InputBatch {
    /// The lines as the store keeps them, and those that were left out.
    func decoded(_ scanner: EventScanner, _ policy: RefusalPolicy) throws(RefusedLine) -> (LineBatch, [RefusedLine]) {
        let lines = LineBatch(capacity: bytes.count + 1)
        var skipped: [RefusedLine] = []
        var refused: RefusedLine?
        bytes.withUnsafeBytes { body in
            for (event, number, start) in NDJSONLines(body) {
                do throws(EventFault) {
                    try lines.append(maximumBytes: event.count) { (place) throws(EventFault) in
                        let scanned = try scanner.scan(event, into: place)
                        return (scanned.bucket, scanned.byteCount)
                    }
                } catch {
                    let fault = LineFault(line: number, offset: start + error.offset, fault: error)
                    let found = RefusedLine(fault, in: self)
                    guard policy == .skip else {
                        refused = found
                        return
                    }
                    skipped.append(found)
                }
            }
        }
        if let refused { throw refused }
        return (lines, skipped)
    }

    /// The batch without its bad lines, and these.
    func withoutBadLines() -> (InputBatch, [RefusedLine]) {
        let scanner = EventScanner(resolution: .oneMillisecond)
        var kept = self
        kept.bytes.removeAll(keepingCapacity: true)
        var skipped: [RefusedLine] = []
        bytes.withUnsafeBytes { body in
            let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: max(body.count, 1), alignment: 1)
            defer { scratch.deallocate() }
            for (event, number, start) in NDJSONLines(body) {
                guard let place = scratch.baseAddress else { return }
                do throws(EventFault) {
                    _ = try scanner.scan(event, into: place)
                    kept.bytes.append(contentsOf: event)
                    kept.bytes.append(0x0A)
                } catch {
                    skipped.append(
                        RefusedLine(LineFault(line: number, offset: start + error.offset, fault: error), in: self))
                }
            }
        }
        return (kept, skipped)
    }
}
