// What readers need to know of a line that `EventScanner` wrote.

import StrictJSON

/// The digits of a stored line's timestamp, as a range of its bytes; `nil` if this is no stored line.
///
/// Costs a few comparisons where the timestamp comes first, as in nearly all events, and a scan of what
/// stands before it otherwise.
public func storedTimestamp(_ line: UnsafeRawBufferPointer) -> Range<Int>? {
    guard let text = JSONText(line) else { return nil }
    let usual: StaticString = "{\"timestamp\":"
    if text.holds(usual, at: 0), let digits = text.digitRun(from: usual.utf8CodeUnitCount) { return digits }
    return timestampByMember(text)
}

@inline(never)
private func timestampByMember(_ line: JSONText) -> Range<Int>? {
    var text = line
    guard text.byte(at: 0) == Ascii.openBrace else { return nil }
    do throws(EventFault) {
        var end = 0
        repeat {
            let member = try text.member(at: text.spaceEnd(from: end &+ 1))
            if member.role == .timestamp { return text.digitRun(from: member.valueStart) }
            end = text.spaceEnd(from: try text.valueEnd(from: member.valueStart))
        } while text.byte(at: end) == Ascii.comma
        return nil
    } catch {
        return nil
    }
}

extension JSONText {
    fileprivate func digitRun(from start: Int) -> Range<Int>? {
        var end = start
        while Ascii.isDigit(byte(at: end)) { end &+= 1 }
        return end > start ? start..<end : nil
    }
}
