// Arbitrary bytes as a form, a JSON body or a list of events: refused, or stored as lines that each scan.

import Interactions
import SegmentFormat
import StrictJSON

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzPost(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = UnsafeRawBufferPointer(start: bytes, count: count)
    check(list: input)
    check(input) { (body) throws(PostedData.Absence) in try PostedData.ofForm(body) }
    check(input) { (body) throws(PostedData.Absence) in try PostedData.ofJSON(body) }
    return 0
}

private func check(
    _ input: UnsafeRawBufferPointer,
    _ find: (UnsafeMutableRawBufferPointer) throws(PostedData.Absence) -> Range<Int>
) {
    let body = UnsafeMutableRawBufferPointer.allocate(byteCount: input.count, alignment: 1)
    defer { body.deallocate() }
    body.copyMemory(from: input)
    guard let data = try? find(body) else { return }
    check(list: UnsafeRawBufferPointer(rebasing: body[data]))
}

private func check(list text: UnsafeRawBufferPointer) {
    var list = EventList(resolution: .tenMinutes)
    let batch = LineBatch(capacity: text.count + 2)
    do throws(EventFault) {
        while try list.appendNext(of: text, to: batch) {}
    } catch {
        precondition(error.offset <= text.count, "a fault lies in the input")
        precondition(EventListFault(error, in: text).events >= 1, "a refused list has an event")
        return
    }
    precondition(batch.byteCount <= text.count + 1, "lines are no longer than the list that they were in")
    let line = UnsafeMutableRawPointer.allocate(byteCount: batch.byteCount, alignment: 1)
    defer { line.deallocate() }
    for stored in NDJSONLines(batch.bytes)
    where (try? EventScanner(resolution: .tenMinutes).scan(stored.line, into: line)) == nil {
        // Flooring may leave 0, which is not taken again.
        precondition(storedTimestamp(stored.line) != nil, "a stored line has a timestamp")
    }
}
