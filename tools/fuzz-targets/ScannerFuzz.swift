// Arbitrary bytes must be refused by the event scanner, or stored as a line that scans to itself.

import Interactions
import SegmentFormat
import StrictJSON

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzScanner(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = UnsafeRawBufferPointer(start: bytes, count: count)
    for line in NDJSONLines(input) { precondition(line.offset + line.line.count <= count) }
    _ = storedTimestamp(input)
    check(input, .oneMillisecond)
    check(input, .tenMinutes)
    return 0
}

private func check(_ input: UnsafeRawBufferPointer, _ resolution: Resolution) {
    let first = UnsafeMutableRawBufferPointer.allocate(byteCount: input.count, alignment: 1)
    defer { first.deallocate() }
    guard let event = scan(input, resolution, into: first) else { return }
    let line = UnsafeRawBufferPointer(rebasing: first.prefix(event.byteCount))
    precondition(!line.contains { $0 == 0x0A || $0 == 0x0D }, "a stored line is one line")
    guard let digits = storedTimestamp(line) else { fatalError("a stored line has a timestamp") }
    guard readsBackInItsUnit(event.bucket, digits.count, resolution) else { return }

    let second = UnsafeMutableRawBufferPointer.allocate(byteCount: line.count, alignment: 1)
    defer { second.deallocate() }
    guard let again = scan(line, resolution, into: second) else { fatalError("a stored line is an event") }
    precondition(again == event, "a stored line has the bucket and the length that it was stored with")
    precondition(line.elementsEqual(second.prefix(again.byteCount)), "a stored line is stored as it is")
}

private func scan(
    _ input: UnsafeRawBufferPointer, _ resolution: Resolution, into output: UnsafeMutableRawBufferPointer
) -> ScannedEvent? {
    guard let start = output.baseAddress else { return nil }
    do throws(EventFault) {
        return try EventScanner(resolution: resolution).scan(input, into: start)
    } catch {
        precondition(error.offset <= input.count, "a fault lies in the input")
        return nil
    }
}

/// Not so where flooring gave 0, or took milliseconds below 10^11, which read as seconds.
private func readsBackInItsUnit(_ bucket: Bucket, _ digitCount: Int, _ resolution: Resolution) -> Bool {
    let boundary: UInt64 = 100_000_000_000
    let isBelow = bucket == resolution.bucket(of: boundary) && bucket.milliseconds < boundary
    return bucket != .earliest && !(isBelow && digitCount == 11)
}
