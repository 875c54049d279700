import Glibc
import StrictJSON

/// A value of a blob, and where it is.
struct BlobValue {
    let json: ValidJSON
    let range: Range<Int>
    let place: BlobPlace

    private var first: UInt8 { json.bytes[range.lowerBound] }
    var isNull: Bool { first == UInt8(ascii: "n") }
    private var isNumber: Bool { Ascii.isDigit(first) || first == Ascii.minus }

    func fault(_ rule: String) -> BlobFault { BlobFault(.badField, field: place.text(in: json), rule) }

    // MARK: - Numbers

    /// Of a number; `nil` for any other value.
    var number: Double? {
        guard isNumber else { return nil }
        let digits = json.bytes[range]
        // Nearly all are short and whole.
        if digits.count <= 15, digits.allSatisfy(Ascii.isDigit) {
            return Double(digits.reduce(0) { $0 * 10 + Int($1 - Ascii.zero) })
        }
        // A longer one has more digits than count.
        guard range.count <= 320 else { return .infinity }
        let text = digits.map { CChar(bitPattern: $0) } + [0]
        return strtod(text, nil)
    }

    func requireNumber(_ bounds: ClosedRange<Double>) throws(BlobFault) {
        guard let number, bounds.contains(number) else {
            throw fault("it is a number from \(Self.text(bounds.lowerBound)) to \(Self.text(bounds.upperBound))")
        }
    }

    func requireWhole(_ bounds: ClosedRange<Double>) throws(BlobFault) {
        guard let number, bounds.contains(number), number == number.rounded() else {
            throw fault("it is a whole number from \(Self.text(bounds.lowerBound)) to \(Self.text(bounds.upperBound))")
        }
    }

    private static func text(_ bound: Double) -> String {
        Int(exactly: bound).map(String.init) ?? "\(bound)"
    }

    func timestamp() throws(BlobFault) -> EventTimestamp {
        let digits = json.bytes[range]
        guard digits.count <= 15, digits.allSatisfy(Ascii.isDigit),
            let timestamp = EventTimestamp(digits.reduce(0) { $0 * 10 + UInt64($1 - Ascii.zero) })
        else {
            throw fault("it is a whole number from \(EventTimestamp.smallest) to \(EventTimestamp.largest)")
        }
        return timestamp
    }

    // MARK: - Others

    func requireTruth() throws(BlobFault) {
        guard first == UInt8(ascii: "t") || first == UInt8(ascii: "f") else { throw fault("it is true or false") }
    }

    /// Of a string; `nil` for any other value and for one of more bytes.
    private func text(atMost bytes: Int) -> [UInt8]? {
        guard first == Ascii.quote else { return nil }
        return json.unescaped(range.withoutEnds, atMost: bytes)
    }

    func requireText(_ bytes: ClosedRange<Int>) throws(BlobFault) {
        guard first == Ascii.quote, let count = json.unescapedCount(range.withoutEnds, atMost: bytes.upperBound),
            bytes.contains(count)
        else {
            throw fault("it is a text of \(bytes.lowerBound) to \(bytes.upperBound) bytes")
        }
    }

    func requireLanguageTag() throws(BlobFault) {
        guard let tag = text(atMost: BlobField.Bound.tagBytes), !tag.isEmpty, tag.allSatisfy(Self.isTagByte) else {
            throw fault("it is a language tag, as en-US")
        }
    }

    private static func isTagByte(_ byte: UInt8) -> Bool {
        Ascii.isDigit(byte) || 0x61...0x7A ~= byte | 0x20 || byte == Ascii.minus || byte == UInt8(ascii: "_")
    }

    func requireVersion() throws(BlobFault) {
        guard number ?? -1 >= 0 || text(atMost: BlobField.Bound.wordBytes) != nil else {
            throw fault("it is a number or a text of at most \(BlobField.Bound.wordBytes) bytes")
        }
    }

    // MARK: - Containers

    /// The members of these names that are there and are not `null`; of a name that comes twice the last.
    func members(_ names: String...) throws(BlobFault) -> [BlobValue?] {
        guard first == Ascii.openBrace else { throw fault("it is an object") }
        var values = [BlobValue?](repeating: nil, count: names.count)
        json.forEachMember(of: range.lowerBound) { member in
            guard let index = names.firstIndex(where: { json.isText(member.name, $0) }) else { return }
            let value = BlobValue(json: json, range: member.value, place: place.member(member.name))
            values[index] = value.isNull ? nil : value
        }
        return values
    }

    private func array() throws(BlobFault) -> [BlobValue] {
        guard first == Ascii.openBracket else { throw fault("it is an array") }
        var values: [BlobValue] = []
        json.forEachElement(of: range.lowerBound) { element in
            values.append(BlobValue(json: json, range: element, place: place.element(values.count)))
        }
        return values
    }

    /// `[name, offset]`, then perhaps a duration, which may be `null`, then perhaps how often it came.
    func requireEventStream() throws(BlobFault) {
        for entry in try array() {
            let parts = try entry.array()
            guard (2...4).contains(parts.count) else {
                throw entry.fault("it is a name, an offset, perhaps a duration and perhaps a count")
            }
            try parts[0].requireText(1...BlobField.Bound.nameBytes)
            try parts[1].requireNumber(BlobField.Bound.offset)
            if parts.count > 2, !parts[2].isNull { try parts[2].requireNumber(BlobField.Bound.offset) }
            if parts.count > 3, !parts[3].isNull { try parts[3].requireWhole(BlobField.Bound.count) }
        }
    }
}
