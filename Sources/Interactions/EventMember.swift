import StrictJSON

/// One member of the top object, as far as its value.
struct EventMember {
    enum Role {
        case timestamp
        /// `_id` and `_rev`: ids are the store's own, a posted one is dropped.
        case storeOwned
        case data
    }

    let role: Role
    /// The opening quote of the key.
    let start: Int
    let valueStart: Int
}

extension JSONText {
    /// The member whose key must start at `start`; keys are compared unescaped.
    @inline(__always)
    mutating func member(at start: Int) throws(EventFault) -> EventMember {
        guard byte(at: start) == Ascii.quote else { throw fault(.syntax, at: start) }
        let key = try stringEnd(from: start &+ 1)
        let range = Range(uncheckedBounds: (start &+ 1, key.index &- 1))
        let role = key.isEscaped ? try roleOfEscaped(range) : roleOfPlain(range)
        return EventMember(role: role, start: start, valueStart: try memberValueStart(from: key.index))
    }

    @inline(__always)
    private func roleOfPlain(_ range: Range<Int>) -> EventMember.Role {
        switch range.count {
        case 9: holds("timestamp", at: range.lowerBound) ? .timestamp : .data
        case 3: holds("_id", at: range.lowerBound) ? .storeOwned : .data
        case 4: holds("_rev", at: range.lowerBound) ? .storeOwned : .data
        default: .data
        }
    }

    @inline(never)
    private func roleOfEscaped(_ range: Range<Int>) throws(EventFault) -> EventMember.Role {
        if try spells("timestamp", in: range) { return .timestamp }
        if try spells("_id", in: range) { return .storeOwned }
        return try spells("_rev", in: range) ? .storeOwned : .data
    }

    /// The timestamp at `start` and the index after it.
    @inline(__always)
    func timestamp(at start: Int) throws(EventFault) -> (timestamp: EventTimestamp, end: Int) {
        var end = start
        var value: UInt64 = 0
        // No number of 16 digits is a timestamp, and none of them overflows.
        while Ascii.isDigit(byte(at: end)), end &- start < 16 {
            value = value &* 10 &+ UInt64(byte(at: end) &- Ascii.zero)
            end &+= 1
        }
        let next = byte(at: end)
        let goesOn = Ascii.isDigit(next) || next == UInt8(ascii: ".") || next | 0x20 == UInt8(ascii: "e")
        guard byte(at: start) != Ascii.zero, !goesOn, let timestamp = EventTimestamp(value) else {
            throw fault(.invalidTimestamp, at: start)
        }
        return (timestamp, end)
    }
}
