import LogEngine
import SegmentFormat

/// Reads batches out of the spool. Blocks on the disk.
struct SpoolReader {
    let log: EventLog

    /// Lines of a stretch, each with its LF.
    typealias Content = [UInt8]

    /// The next events behind `sequence`, as many as the policy lets into a batch; `nil` where there are none.
    /// Each reads the same again.
    func cut(
        after sequence: Sequence, _ policy: ForwardingPolicy
    ) throws(StoreError) -> (stretch: Stretch, content: Content)? {
        let gathered = try gather(after: sequence, lines: policy.batchEvents) { gathered, line, _ in
            gathered.events == 0 || gathered.content.count + line.count < policy.batchBytes
        }
        guard let first = gathered.first, let last = gathered.last else { return nil }
        let digest = gathered.content.withUnsafeBytes { xxh3Wide($0) }
        let stretch = Stretch(
            first: first, last: last, events: gathered.events, bytes: gathered.content.count, digest: digest)
        return (stretch, gathered.content)
    }

    /// What a stretch held when it was cut. Where the spool was damaged since, what is left of it.
    func content(of stretch: Stretch) throws(StoreError) -> Content {
        try gather(after: Sequence(stretch.first.value - 1), lines: stretch.events) { _, _, its in
            its <= stretch.last
        }.content
    }

    private struct Gathered {
        var content: Content = []
        var events = 0
        var first: Sequence?
        var last: Sequence?

        mutating func add(_ line: UnsafeRawBufferPointer, _ sequence: Sequence) {
            content.append(contentsOf: line)
            content.append(UInt8(ascii: "\n"))
            events += 1
            first = first ?? sequence
            last = sequence
        }
    }

    /// Gathers lines in order of arrival, until `takes` says no. A release may take files from under a scan, never
    /// those of what is not sent: then it begins anew.
    private func gather(
        after sequence: Sequence, lines: Int, while takes: (Gathered, UnsafeRawBufferPointer, Sequence) -> Bool
    ) throws(StoreError) -> Gathered {
        while true {
            do throws(StoreError) {
                let scan = try Scan(log.snapshot(), ScanRequest(order: .arrival, limit: lines, after: sequence))
                var gathered = Gathered()
                var goesOn = true
                while goesOn, let chunk = try scan.next() {
                    chunk.forEachLine { line, its in
                        goesOn = goesOn && takes(gathered, line, its)
                        if goesOn { gathered.add(line, its) }
                    }
                }
                return gathered
            } catch {
                guard error.code == .revoked else { throw error }
            }
        }
    }
}
