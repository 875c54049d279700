// From the bytes a client sent to the line that is stored: one pass that validates and finds what has to
// change, then the copies. The rules are SPEC T1–T3: strict JSON and UTF-8, one object, one timestamp,
// floored; `_id` and `_rev` dropped; every other byte as it came.

import SegmentFormat
import StrictJSON

/// An event that was accepted, as far as the engine is concerned.
public struct ScannedEvent: Equatable, Sendable {
    /// The floored moment of the event.
    public let bucket: Bucket
    /// The length of the line written, without a line feed.
    public let byteCount: Int
}

/// Validates one event and writes the line that is stored for it.
public struct EventScanner: Sendable {
    /// The length of the longest event, in bytes as received.
    public static let maximumByteCount = EventBounds.byteCount

    private let resolution: Resolution

    /// A scanner that floors timestamps to `resolution`.
    public init(resolution: Resolution) {
        self.resolution = resolution
    }

    /// Writes the line stored for the event in `input`, without a line feed at its end.
    ///
    /// The line is valid JSON on one line: the event without the white space around it, its timestamp
    /// floored in its own unit, its top-level `_id` and `_rev` dropped with one comma each, CR and LF
    /// between tokens turned into spaces.
    ///
    /// - Parameters:
    ///   - input: exactly one JSON object, with or without JSON white space around it.
    ///   - output: room for `input.count` bytes outside `input`; what it holds after a fault is undefined.
    /// - Throws: the first rule that the event breaks; the offset counts from the start of `input`.
    public func scan(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawPointer
    ) throws(EventFault) -> ScannedEvent {
        guard input.count <= Self.maximumByteCount else { throw EventFault(.tooLong, at: Self.maximumByteCount) }
        guard var text = JSONText(input) else { throw EventFault(.unexpectedEnd, at: 0) }
        let start = text.spaceEnd(from: 0)
        guard text.byte(at: start) == Ascii.openBrace else { throw Self.notAnObject(text, at: start) }
        let writer = LineWriter(from: text.base, startingAt: start, into: output)
        var pass = EventPass(resolution: resolution, text: text, writer: writer)
        return try pass.run(from: start, standsAlone: true).event
    }

    /// The same for the object that `input` begins with, whatever follows it; `end` is behind its brace.
    func scanPrefix(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawPointer
    ) throws(EventFault) -> (event: ScannedEvent, end: Int) {
        let bounded = UnsafeRawBufferPointer(rebasing: input.prefix(Self.maximumByteCount))
        guard let text = JSONText(bounded) else { throw EventFault(.unexpectedEnd, at: 0) }
        guard text.byte(at: 0) == Ascii.openBrace else { throw Self.notAnObject(text, at: 0) }
        let writer = LineWriter(from: text.base, startingAt: 0, into: output)
        var pass = EventPass(resolution: resolution, text: text, writer: writer)
        do throws(EventFault) {
            return try pass.run(from: 0, standsAlone: false)
        } catch {
            // A character may be cut too.
            let wasCut = bounded.count < input.count && error.offset > bounded.count - 4
            throw wasCut ? EventFault(.tooLong, at: bounded.count) : error
        }
    }

    @inline(never)
    private static func notAnObject(_ text: JSONText, at start: Int) -> EventFault {
        text.holds("\u{FEFF}", at: 0) ? EventFault(.byteOrderMark, at: 0) : text.fault(.notAnObject, at: start)
    }
}

/// The state of one scan.
private struct EventPass {
    let resolution: Resolution
    var text: JSONText
    var writer: LineWriter
    var bucket: Bucket?

    @inline(__always)
    mutating func run(from start: Int, standsAlone: Bool) throws(EventFault) -> (event: ScannedEvent, end: Int) {
        let close = try membersEnd(from: text.spaceEnd(from: start &+ 1))
        if standsAlone {
            let end = text.spaceEnd(from: close &+ 1)
            guard end == text.count else { throw EventFault(.trailingBytes, at: end) }
        }
        guard let bucket else { throw EventFault(.missingTimestamp, at: close) }
        writer.copy(to: close &+ 1)
        if text.hasLineBreaks { writer.blankLineBreaks() }
        return (ScannedEvent(bucket: bucket, byteCount: writer.byteCount), close &+ 1)
    }

    /// The index of the brace that closes the top object, of which `start` is the first token inside.
    @inline(__always)
    private mutating func membersEnd(from start: Int) throws(EventFault) -> Int {
        var index = start
        if text.byte(at: index) == Ascii.closeBrace { return index }
        while true {
            let member = try text.member(at: index)
            let end = try valueEnd(of: member)
            let next = text.spaceEnd(from: end)
            let isLast = text.byte(at: next) == Ascii.closeBrace
            guard isLast || text.byte(at: next) == Ascii.comma else { throw text.fault(.syntax, at: next) }
            if member.role != .storeOwned {
                if !isLast { writer.keepComma(at: next) }
            } else if isLast {
                writer.dropLast(from: member.start, to: end)
            } else {
                writer.drop(from: member.start, throughComma: next &+ 1)
            }
            if isLast { return next }
            index = text.spaceEnd(from: next &+ 1)
        }
    }

    @inline(__always)
    private mutating func valueEnd(of member: EventMember) throws(EventFault) -> Int {
        guard member.role == .timestamp else { return try text.valueEnd(from: member.valueStart) }
        guard bucket == nil else { throw EventFault(.duplicateTimestamp, at: member.start) }
        let (timestamp, end) = try text.timestamp(at: member.valueStart)
        let floored = timestamp.floored(to: resolution)
        bucket = floored.bucket
        if floored.stored != timestamp.value { writer.replace(member.valueStart..<end, with: floored.stored) }
        return end
    }
}
