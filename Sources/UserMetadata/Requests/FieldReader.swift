import StrictJSON

// The members of JSON objects that may be named in any case, by more than one name, and be null: all of them
// are found in one pass, which checks every byte of the object, and read when they are wanted.

/// A field by its names, in lower case; the first is the one that refusals use.
struct Field: Sendable {
    fileprivate let names: [StaticString]
    let name: String
    /// What stands before the names of the fields of an object in it.
    fileprivate let prefix: String

    init(_ names: StaticString...) {
        self.names = names
        name = names[0].description
        prefix = name + "."
    }
}

/// The fields that an object may have. At most 16. A class, because every object that is read holds it.
final class FieldList: Sendable {
    private struct Name {
        let text: StaticString
        let field: Int
    }

    let fields: [Field]
    /// In one piece: they are looked through for every member.
    private let names: [Name]

    init(_ fields: Field...) {
        precondition(fields.count <= Fields.most, "more fields than an object may have")
        self.fields = fields
        names = fields.enumerated().flatMap { index, field in field.names.map { Name(text: $0, field: index) } }
    }

    func index(of key: KeyRange, in text: JSONText) -> Int? {
        if key.isEscaped { return index(ofEscaped: text.unescaped(key.range)) }
        let first = Ascii.lowered(text.byte(at: key.range.lowerBound))
        for name in names where name.text.utf8CodeUnitCount == key.range.count && name.text.utf8Start[0] == first {
            if text.holds(name.text, inAnyCaseAt: key.range.lowerBound) { return name.field }
        }
        return nil
    }

    private func index(ofEscaped key: [UInt8]) -> Int? {
        names.first { name in
            name.text.utf8CodeUnitCount == key.count
                && key.indices.allSatisfy { Ascii.lowered(key[$0]) == name.text.utf8Start[$0] }
        }?.field
    }
}

/// A string of a body, as it stands between its quotes.
struct JSONString {
    private let json: JSONText
    private let range: Range<Int>
    private let isEscaped: Bool

    init(_ json: JSONText, _ range: Range<Int>, isEscaped: Bool) {
        (self.json, self.range, self.isEscaped) = (json, range, isEscaped)
    }

    /// The text, where that is what stands there; valid as long as the body is.
    var plain: UnsafeRawBufferPointer? {
        isEscaped ? nil : UnsafeRawBufferPointer(start: json.base + range.lowerBound, count: range.count)
    }

    var text: [UInt8] { isEscaped ? json.unescaped(range) : json.bytes(range) }
}

/// The fields of one object: where their values lie, by the order of the list that they were sought by.
struct Fields {
    static let most = 16
    private let text: JSONText
    /// -1 where the field is absent.
    private let starts: SIMD16<Int32>
    private let ends: SIMD16<Int32>
    /// A bit for each field whose value is a string with escapes.
    private let escaped: UInt16
    private let list: FieldList
    /// What stands before the name of a field in a refusal: `log.`
    private let path: String
    /// The object.
    let range: Range<Int>
    var end: Int { range.upperBound }

    /// Reads the object at `start`, without space before it.
    init(_ text: JSONText, at start: Int, _ list: FieldList, path: String = "") throws(BodyFault) {
        guard text.byte(at: start) == Ascii.openBrace else { throw BodyFault(text.fault(.notAnObject, at: start)) }
        let absent = SIMD16<Int32>(repeating: -1)
        var (walk, starts, ends, escaped) = (text, absent, absent, UInt16(0))
        var duplicate: (index: Int, start: Int)?
        do throws(EventFault) {
            let end = try walk.forEachMember(of: start) { (text, key, start) throws(EventFault) in
                let first = text.byte(at: start)
                let value =
                    first == Ascii.quote
                    ? try text.stringEnd(from: start + 1) : (index: try text.valueEnd(from: start), isEscaped: false)
                guard let index = list.index(of: key, in: text), first != UInt8(ascii: "n") else {
                    return value.index
                }
                if starts[index] >= 0 { duplicate = duplicate ?? (index, start) }
                (starts[index], ends[index]) = (Int32(start), Int32(value.index))
                if value.isEscaped { escaped |= 1 << UInt16(index) }
                return value.index
            }
            range = start..<end
        } catch { throw BodyFault(error) }
        (self.text, self.list, self.path) = (text, list, path)
        (self.starts, self.ends, self.escaped) = (starts, ends, escaped)
        if let duplicate { throw BodyFault(.duplicate, name(duplicate.index), at: duplicate.start) }
    }

    func has(_ index: Int) -> Bool { starts[index] >= 0 }
    func start(_ index: Int) -> Int { Int(starts[index]) }
    /// Behind the value of a field; -1 where the field is absent.
    func end(_ index: Int) -> Int { Int(ends[index]) }
    /// The name that is stored.
    func key(_ index: Int) -> StaticString { list.fields[index].names[0] }
    func name(_ index: Int) -> String { path + list.fields[index].name }
    /// The path of an object in a field.
    func path(_ index: Int) -> String { path.isEmpty ? list.fields[index].prefix : path + list.fields[index].prefix }

    func fault(_ reason: BodyFault.Reason, _ index: Int) -> BodyFault {
        BodyFault(reason, name(index), at: max(start(index), 0))
    }
}

// MARK: - Values

extension Fields {
    /// The string in a field; `nil` where that is absent.
    func string(_ index: Int, _ bounds: ClosedRange<Int>) throws(BodyFault) -> JSONString? {
        guard has(index) else { return nil }
        guard text.byte(at: start(index)) == Ascii.quote else { throw fault(.invalid("a string"), index) }
        let string = JSONString(text, start(index) + 1..<end(index) - 1, isEscaped: escaped >> UInt16(index) & 1 == 1)
        guard bounds.contains(string.plain?.count ?? string.text.count) else {
            throw fault(.invalid("a string of \(bounds.lowerBound) to \(bounds.upperBound) bytes"), index)
        }
        return string
    }

    /// The text of a string; `nil` where the field is absent.
    func text(_ index: Int, _ bounds: ClosedRange<Int>) throws(BodyFault) -> [UInt8]? {
        try string(index, bounds)?.text
    }

    /// The same of a field that has to be there.
    func required(_ index: Int, _ bounds: ClosedRange<Int>) throws(BodyFault) -> [UInt8] {
        guard let text = try text(index, bounds) else { throw fault(.missing, index) }
        return text
    }

    func flag(_ index: Int) throws(BodyFault) -> Bool? {
        guard has(index) else { return nil }
        switch text.byte(at: start(index)) {
        case UInt8(ascii: "t"): return true
        case UInt8(ascii: "f"): return false
        default: throw fault(.invalid("true or false"), index)
        }
    }

    /// A whole number of digits alone.
    func integer(_ index: Int, _ bounds: ClosedRange<UInt64>) throws(BodyFault) -> UInt64? {
        guard has(index) else { return nil }
        var (position, value) = (start(index), UInt64(0))
        while Ascii.isDigit(text.byte(at: position)), position - start(index) < 18 {
            value = value * 10 + UInt64(text.byte(at: position) - Ascii.zero)
            position += 1
        }
        let next = text.byte(at: position)
        let goesOn = Ascii.isDigit(next) || next == UInt8(ascii: ".") || next | 0x20 == UInt8(ascii: "e")
        guard position > start(index), !goesOn, bounds.contains(value) else {
            throw fault(.invalid("a whole number from \(bounds.lowerBound) to \(bounds.upperBound)"), index)
        }
        return value
    }

    /// The fields of an object in a field; `nil` where that is absent.
    func object(_ index: Int, _ list: FieldList) throws(BodyFault) -> Fields? {
        guard has(index) else { return nil }
        guard text.byte(at: start(index)) == Ascii.openBrace else { throw fault(.invalid("an object"), index) }
        return try Fields(text, at: start(index), list, path: path(index))
    }

    /// The JSON of an object in a field, as it stands between its braces; `nil` where that is absent.
    func members(_ index: Int) throws(BodyFault) -> [UInt8]? {
        guard has(index) else { return nil }
        guard text.byte(at: start(index)) == Ascii.openBrace else { throw fault(.invalid("an object"), index) }
        return text.bytes(start(index) + 1..<end(index) - 1)
    }

    /// Calls `body` with where each element of the array in a field starts; it returns where the element ends.
    /// `false` where there is no array.
    func forEachElement(
        _ index: Int, _ body: (inout JSONText, Int) throws(EventFault) -> Int
    ) throws(BodyFault) -> Bool {
        var text = text
        do throws(EventFault) {
            return try text.forEachElement(of: start(index), body)
        } catch { throw BodyFault(error) }
    }

    /// The strings of an array in a field; `nil` where that is absent.
    func strings(_ index: Int, each bounds: ClosedRange<Int>, atMost most: Int) throws(BodyFault) -> [[UInt8]]? {
        guard has(index) else { return nil }
        var (strings, isRight) = ([[UInt8]](), true)
        let isArray = try forEachElement(index) { (text, start) throws(EventFault) in
            guard isRight, text.byte(at: start) == Ascii.quote else {
                isRight = false
                return try text.valueEnd(from: start)
            }
            let end = try text.stringEnd(from: start + 1)
            let range = start + 1..<end.index - 1
            let bytes = end.isEscaped ? text.unescaped(range) : text.bytes(range)
            isRight = bounds.contains(bytes.count) && strings.count < most
            strings.append(bytes)
            return end.index
        }
        guard isArray, isRight else {
            throw fault(
                .invalid("a list of at most \(most) strings of \(bounds.lowerBound) to \(bounds.upperBound) bytes"),
                index)
        }
        return strings
    }
}
