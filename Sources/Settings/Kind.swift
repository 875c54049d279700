/// A kind of scalar: how its text is read and shown, and what is allowed.
struct Kind<Value>: Sendable {
    /// As `a whole number from 1 to 9`.
    let allowed: String
    /// Numbers and truth are not in quotes.
    var isPlain = false
    /// Never shown, nor quoted in a fault.
    var isSecret = false
    /// Throws why a text is none, or the empty reason where what is allowed says enough.
    let read: @Sendable (String) throws(Refusal) -> Value
    let show: @Sendable (Value) -> String
}

struct Refusal: Error {
    var reason = ""
}

extension Kind {
    /// - Parameter read: `nil` for what is not allowed.
    init(
        _ allowed: String, isPlain: Bool = false, isSecret: Bool = false, show: @escaping @Sendable (Value) -> String,
        read: @escaping @Sendable (String) -> Value?
    ) {
        self.init(
            allowed: allowed, isPlain: isPlain, isSecret: isSecret,
            read: { (text) throws(Refusal) in
                guard let value = read(text) else { throw Refusal() }
                return value
            }, show: show)
    }

    /// What a fault says of a text that is none.
    func message(_ text: String, _ refusal: Refusal) -> String {
        let shown = isSecret ? "the value" : quoted(text)
        return refusal.reason.isEmpty ? "\(shown) is not \(allowed)" : "\(shown) \(refusal.reason)"
    }
}

extension Kind<Bool> {
    static let truth = Kind("true or false", isPlain: true, show: { String($0) }, read: { Bool($0) })
}

extension Kind<Int> {
    static func whole(_ range: ClosedRange<Int>) -> Self {
        Kind(
            "a whole number from \(range.lowerBound) to \(range.upperBound)", isPlain: true, show: { String($0) },
            read: { text in
                guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
                return Int(text).flatMap { range.contains($0) ? $0 : nil }
            })
    }

    static func size(_ range: ClosedRange<Int>) -> Self {
        let ends = (Quantity.text(bytes: range.lowerBound), Quantity.text(bytes: range.upperBound))
        return Kind(
            "a size from \(ends.0) to \(ends.1), such as 65536, 256KiB or 1GiB", show: { Quantity.text(bytes: $0) },
            read: { text in Quantity.bytes(text).flatMap { range.contains($0) ? $0 : nil } })
    }

    /// Minutes since midnight, UTC.
    static let timeOfDay = Kind(
        "a time of day, UTC, from 00:00 to 23:59",
        show: { twoDigits($0 / 60) + ":" + twoDigits($0 % 60) },
        read: { text in
            let parts = text.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count == 2, parts.allSatisfy({ $0.utf8.count == 2 && $0.utf8.allSatisfy(isDigit) }),
                let hours = Int(parts[0]), let minutes = Int(parts[1]), hours < 24, minutes < 60
            else { return nil }
            return hours * 60 + minutes
        })

    private static func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : String(number) }
    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}

extension Kind<UInt64> {
    /// Milliseconds.
    static func time(_ range: ClosedRange<UInt64>) -> Self {
        let ends = (Quantity.text(milliseconds: range.lowerBound), Quantity.text(milliseconds: range.upperBound))
        return Kind(
            "a time from \(ends.0) to \(ends.1), such as 30s, 10m, 12h or 90d",
            show: { Quantity.text(milliseconds: $0) },
            read: { text in Quantity.milliseconds(text).flatMap { range.contains($0) ? $0 : nil } })
    }

    /// Milliseconds; a bare number is seconds.
    static func seconds(_ range: ClosedRange<UInt64>) -> Self {
        let kind = time(range)
        return Kind(
            "a number of seconds, or \(kind.allowed)", show: kind.show,
            read: { text in
                let milliseconds = Quantity.milliseconds(text) ?? Quantity.milliseconds(text + "s")
                return milliseconds.flatMap { range.contains($0) ? $0 : nil }
            })
    }

    /// Milliseconds. A width of buckets: divides a day, and divides a second or is whole seconds.
    static let resolution = Kind(
        "a time that divides 24h, such as 1ms, 30s, 10m or 1h", show: { Quantity.text(milliseconds: $0) },
        read: { text in
            guard let width = Quantity.milliseconds(text), width > 0, 86_400_000 % width == 0,
                width % 1_000 == 0 || 1_000 % width == 0
            else { return nil }
            return width
        })
}

extension Kind where Value: RawRepresentable & CaseIterable & SendableMetatype, Value.RawValue == String {
    static var choice: Self {
        Kind(
            "one of " + Value.allCases.map(\.rawValue).joined(separator: ", "), show: { $0.rawValue },
            read: { Value(rawValue: $0) })
    }
}
