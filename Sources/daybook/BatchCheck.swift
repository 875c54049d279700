import Interactions
import SegmentFormat
import StrictJSON

/// What becomes of a bad line or row.
enum RefusalPolicy: String, CaseIterable, Sendable {
    /// Its batch is not stored, and nothing after it.
    case stop
    /// It is left out and told of; the rest is stored.
    case skip
}

extension InputBatch {
    /// The lines as the store keeps them, and what was left out, in the order of the input.
    func decoded(_ scanner: EventScanner, _ policy: RefusalPolicy) throws(RefusedInput) -> (LineBatch, [RefusedInput]) {
        let lines = LineBatch(capacity: bytes.count + 1)
        var faults = refused
        bytes.withUnsafeBytes { body in
            for (event, number, start) in NDJSONLines(body) {
                do throws(EventFault) {
                    try lines.append(maximumBytes: event.count) { (target) throws(EventFault) in
                        let scanned = try scanner.scan(event, into: target)
                        return (scanned.bucket, scanned.byteCount)
                    }
                } catch {
                    faults.append(RefusedInput(error, at: place(ofLine: number, offset: start + error.offset)))
                    guard policy == .skip else { return }
                }
            }
        }
        faults.sort { $0.place.offset < $1.place.offset }
        if policy == .stop, let first = faults.first { throw first }
        return (lines, faults)
    }

    /// The batch without its bad lines, and these.
    func withoutBadLines() -> (InputBatch, [RefusedInput]) {
        let scanner = EventScanner(resolution: .oneMillisecond)
        var kept = self
        kept.bytes.removeAll(keepingCapacity: true)
        var skipped = refused
        bytes.withUnsafeBytes { body in
            let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: max(body.count, 1), alignment: 1)
            defer { scratch.deallocate() }
            for (event, number, start) in NDJSONLines(body) {
                guard let target = scratch.baseAddress else { return }
                do throws(EventFault) {
                    _ = try scanner.scan(event, into: target)
                    kept.bytes.append(contentsOf: event)
                    kept.bytes.append(0x0A)
                } catch {
                    skipped.append(RefusedInput(error, at: place(ofLine: number, offset: start + error.offset)))
                }
            }
        }
        skipped.sort { $0.place.offset < $1.place.offset }
        return (kept, skipped)
    }
}
