import SegmentFormat
import StrictJSON

// What clients of the original send: one event, a list of them, or lists in lists, as one JSON text.

/// Takes the events out of a JSON text one by one, in order. A value: the text is handed in with each
/// step, so that whoever decodes a large one can give way to others between two.
public struct EventList: Sendable {
    private let scanner: EventScanner
    private var walk = ListWalk()
    /// Bytes of the text that were taken.
    public private(set) var offset = 0

    public init(resolution: Resolution) {
        scanner = EventScanner(resolution: resolution)
    }

    /// Appends the next event to `batch`; `false` behind the last one.
    ///
    /// - Parameter text: the same at each step.
    /// - Throws: the first rule that is broken; the offset counts from the start of `text`.
    public mutating func appendNext(
        of text: UnsafeRawBufferPointer, to batch: LineBatch
    ) throws(EventFault) -> Bool {
        guard var json = JSONText(text) else { throw EventFault(.unexpectedEnd, at: 0) }
        guard let start = try walk.nextElement(of: &json, behind: offset) else { return false }
        var end = start
        let rest = UnsafeRawBufferPointer(rebasing: text[start...])
        try batch.append(maximumBytes: rest.count) { (place) throws(EventFault) in
            do throws(EventFault) {
                let (event, length) = try scanner.scanPrefix(rest, into: place)
                end = start + length
                return (event.bucket, event.byteCount)
            } catch {
                throw EventFault(error.reason, at: start + error.offset)
            }
        }
        offset = end
        return true
    }
}

/// What is wrong with the text that an event list was refused for.
public struct EventListFault: Error, Equatable, Sendable {
    public enum Kind: Equatable, Sendable {
        /// Not JSON, or `null` where an event should be.
        case notJSON
        /// JSON, but not events that are taken.
        case invalid
    }

    public let kind: Kind
    /// The first fault from the left of that kind; its offset counts from the start of the text.
    public let fault: EventFault
    /// How many events the text seems to have, at least 1.
    public let events: Int

    /// Finds out why `text` was refused with `fault`. What is no JSON anywhere is told before what is no
    /// event, as by a server that parses first.
    public init(_ fault: EventFault, in text: UnsafeRawBufferPointer) {
        let (events, syntaxFault) = Self.survey(text)
        self.events = max(events, 1)
        if let syntaxFault, syntaxFault.reason != .tooDeep {
            (kind, self.fault) = (.notJSON, syntaxFault)
        } else {
            let isNull = fault.reason == .notAnObject && text.dropFirst(fault.offset).first == UInt8(ascii: "n")
            (kind, self.fault) = (isNull ? .notJSON : .invalid, fault)
        }
    }

    /// Elements up to the first fault of the JSON.
    private static func survey(_ text: UnsafeRawBufferPointer) -> (events: Int, fault: EventFault?) {
        guard var json = JSONText(text) else { return (0, EventFault(.unexpectedEnd, at: 0)) }
        var walk = ListWalk()
        var (events, end) = (0, 0)
        do throws(EventFault) {
            while let start = try walk.nextElement(of: &json, behind: end) {
                end = try json.valueEnd(from: start)
                events += 1
            }
            return (events, nil)
        } catch {
            return (events, error.reason == .noEvents ? nil : error)
        }
    }
}

/// Finds the elements of a text that are not lists themselves, however the lists are nested.
struct ListWalk {
    private var depth = 0
    private var elements = 0

    /// Where the next element starts, behind the one that ends at `end`; `nil` at the end of the text.
    mutating func nextElement(of text: inout JSONText, behind end: Int) throws(EventFault) -> Int? {
        var index = text.spaceEnd(from: end)
        var mayStart = depth == 0 && elements == 0
        while true {
            if mayStart, text.byte(at: index) == Ascii.openBracket {
                depth += 1
                guard depth < EventBounds.depth else { throw text.fault(.tooDeep, at: index) }
                index = text.spaceEnd(from: index + 1)
                mayStart = text.byte(at: index) != Ascii.closeBracket
            } else if mayStart {
                elements += 1
                return index
            } else if depth == 0 {
                guard index == text.count else { throw EventFault(.trailingBytes, at: index) }
                guard elements > 0 else { throw EventFault(.noEvents, at: 0) }
                return nil
            } else if text.byte(at: index) == Ascii.closeBracket {
                depth -= 1
                index = text.spaceEnd(from: index + 1)
            } else {
                guard text.byte(at: index) == Ascii.comma else { throw text.fault(.syntax, at: index) }
                index = text.spaceEnd(from: index + 1)
                mayStart = true
            }
        }
    }
}
