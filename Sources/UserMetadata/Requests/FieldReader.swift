import StrictJSON

// The members of JSON objects that may be named in any case, by more than one name, and be null: all of them
// are found in one pass, which checks every byte of the object, and read when they are wanted.

/// A field by its names, in lower case; the first is the one that refusals use.
struct Field: Sendable {
    let names: [StaticString]

    init(_ names: StaticString...) { self.names = names }

    var name: String { names[0].description }
}

/// The fields of one object: where their values lie, by the order of the list that they were sought by.
struct Fields {
    fileprivate(set) var text: JSONText
    fileprivate var starts: [Int]
    private let list: [Field]
    /// What stands before the name of a field in a refusal: `log.`
    private let path: String
    /// Behind the object.
    private(set) var end = 0

    /// Reads the object at `start`, without space before it.
    init(_ text: JSONText, at start: Int, _ list: [Field], path: String = "") throws(BodyFault) {
        self.text = text
        self.list = list
        self.path = path
        starts = Array(repeating: -1, count: list.count)
        guard text.byte(at: start) == Ascii.openBrace else { throw BodyFault(text.fault(.notAnObject, at: start)) }
        var found = starts
        var duplicate: (index: Int, start: Int)?
        do throws(EventFault) {
            end = try self.text.forEachMember(of: start) { (text, key, start) throws(EventFault) in
                let end = try text.valueEnd(from: start)
                guard let index = Self.index(of: key, in: text, list), text.byte(at: start) != UInt8(ascii: "n") else {
                    return end
                }
                if found[index] >= 0 { duplicate = duplicate ?? (index, start) }
                found[index] = start
                return end
            }
        } catch { throw BodyFault(error) }
        starts = found
        if let duplicate { throw BodyFault(.duplicate, name(duplicate.index), at: duplicate.start) }
    }

    private static func index(of key: KeyRange, in text: JSONText, _ list: [Field]) -> Int? {
        if key.isEscaped { return index(ofEscaped: text.unescaped(key.range), list) }
        for (index, field) in list.enumerated() {
            for name in field.names where name.utf8CodeUnitCount == key.range.count {
                if text.holds(name, inAnyCaseAt: key.range.lowerBound) { return index }
            }
        }
        return nil
    }

    private static func index(ofEscaped key: [UInt8], _ list: [Field]) -> Int? {
        list.firstIndex { field in
            field.names.contains { name in
                name.utf8CodeUnitCount == key.count
                    && key.indices.allSatisfy { Ascii.lowered(key[$0]) == name.utf8Start[$0] }
            }
        }
    }

    func has(_ index: Int) -> Bool { starts[index] >= 0 }
    func start(_ index: Int) -> Int { starts[index] }
    func name(_ index: Int) -> String { path + list[index].name }

    func fault(_ reason: BodyFault.Reason, _ index: Int) -> BodyFault {
        BodyFault(reason, name(index), at: max(starts[index], 0))
    }
}

// MARK: - Values

extension Fields {
    /// The text of a string; `nil` where the field is absent.
    func text(_ index: Int, _ bounds: ClosedRange<Int>) throws(BodyFault) -> [UInt8]? {
        guard has(index) else { return nil }
        guard text.byte(at: start(index)) == Ascii.quote else { throw fault(.invalid("a string"), index) }
        let bytes = try string(at: start(index))
        guard bounds.contains(bytes.count) else {
            throw fault(.invalid("a string of \(bounds.lowerBound) to \(bounds.upperBound) bytes"), index)
        }
        return bytes
    }

    /// The same of a field that has to be there.
    func required(_ index: Int, _ bounds: ClosedRange<Int>) throws(BodyFault) -> [UInt8] {
        guard let text = try text(index, bounds) else { throw fault(.missing, index) }
        return text
    }

    /// The text of the string that opens at `start`, which was checked.
    func string(at start: Int) throws(BodyFault) -> [UInt8] {
        let end: (index: Int, isEscaped: Bool)
        do throws(EventFault) { end = try text.stringEnd(from: start + 1) } catch { throw BodyFault(error) }
        let range = start + 1..<end.index - 1
        return end.isEscaped ? text.unescaped(range) : text.bytes(range)
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
    func object(_ index: Int, _ list: [Field]) throws(BodyFault) -> Fields? {
        guard has(index) else { return nil }
        guard text.byte(at: start(index)) == Ascii.openBrace else { throw fault(.invalid("an object"), index) }
        return try Fields(text, at: start(index), list, path: name(index) + ".")
    }

    /// The strings of an array in a field; `nil` where that is absent.
    func strings(_ index: Int, each bounds: ClosedRange<Int>, atMost most: Int) throws(BodyFault) -> [[UInt8]]? {
        guard has(index) else { return nil }
        var strings: [[UInt8]] = []
        var (text, isRight) = (text, true)
        let isArray: Bool
        do throws(EventFault) {
            isArray = try text.forEachElement(of: start(index)) { (text, start) throws(EventFault) in
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
        } catch { throw BodyFault(error) }
        guard isArray, isRight else {
            throw fault(
                .invalid("a list of at most \(most) strings of \(bounds.lowerBound) to \(bounds.upperBound) bytes"),
                index)
        }
        return strings
    }
}
