/// Why an event was refused, and where.
public struct EventFault: Error, Equatable, Sendable {
    /// What a client may match on; the raw values are part of the wire contract.
    public enum Reason: String, CaseIterable, Sendable {
        case tooLong = "too_long"
        case unexpectedEnd = "unexpected_end"
        case byteOrderMark = "byte_order_mark"
        case notAnObject = "not_an_object"
        case syntax = "syntax"
        case tooDeep = "too_deep"
        case invalidNumber = "invalid_number"
        case controlCharacter = "control_character"
        case invalidUTF8 = "invalid_utf8"
        case invalidEscape = "invalid_escape"
        case loneSurrogate = "lone_surrogate"
        case trailingBytes = "trailing_bytes"
        case missingTimestamp = "missing_timestamp"
        case duplicateTimestamp = "duplicate_timestamp"
        case invalidTimestamp = "invalid_timestamp"
        case noEvents = "no_events"
    }

    public let reason: Reason
    /// Bytes from the start of what was scanned to the offending token, escape or byte.
    public let offset: Int

    public init(_ reason: Reason, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }

    /// The reason as a sentence for who sent it.
    public var message: String { reason.message }
}

extension EventFault: CustomStringConvertible {
    public var description: String { "byte \(offset): \(message)" }
}

extension EventFault.Reason {
    /// What the rule is, or what was found instead.
    public var message: String {
        switch self {
        case .tooLong: "an event must not be longer than \(EventBounds.byteCount) bytes"
        case .unexpectedEnd: "this ends in the middle of its JSON"
        case .byteOrderMark: "the event must not start with a byte order mark"
        case .notAnObject: "this must be a JSON object"
        case .syntax: "this is not valid JSON: another token is expected here"
        case .tooDeep: "objects and arrays must not be nested more than \(EventBounds.depth) deep"
        case .invalidNumber: "this is not a valid JSON number"
        case .controlCharacter: "control characters in a string must be escaped"
        case .invalidUTF8: "this is not valid UTF-8"
        case .invalidEscape: "this is not a valid JSON escape sequence"
        case .loneSurrogate: "this escape is one half of a surrogate pair without the other"
        case .trailingBytes: "nothing may follow the JSON object"
        case .missingTimestamp: "the event has no timestamp"
        case .duplicateTimestamp: "the event has more than one timestamp"
        case .noEvents: "the list has no events"
        case .invalidTimestamp:
            "the timestamp must be an integer from \(EventBounds.timestamps.lowerBound) to \(EventBounds.timestamps.upperBound), "
                + "without fraction or exponent"
        }
    }
}

/// Why a body was refused: the fault of one of its lines.
public struct LineFault: Error, Equatable, Sendable {
    /// The number of the line, 1 for the first; blank lines count.
    public let line: Int
    /// Bytes from the start of the body to the fault.
    public let offset: Int
    /// The fault; its own offset counts from the start of the line.
    public let fault: EventFault

    public init(line: Int, offset: Int, fault: EventFault) {
        self.line = line
        self.offset = offset
        self.fault = fault
    }
}

extension LineFault: CustomStringConvertible {
    public var description: String { "line \(line), byte \(offset): \(fault.message)" }
}
