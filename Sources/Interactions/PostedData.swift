import Glibc
import StrictJSON

// Where the `data` of a post lies: as a field of a form, or as a member of a JSON object. It is decoded
// where it stands, since decoding makes it shorter.

public enum PostedData {
    /// Why a body has no data.
    public enum Absence: Error, Equatable, Sendable {
        /// There is none, or the body is not what it says it is.
        case malformed
        /// It is `null`, or there is more than one.
        case notJSON
    }

    /// Decodes the field `data` of an `application/x-www-form-urlencoded` body (WHATWG URL, §5.1).
    ///
    /// - Returns: where in the body the decoded value lies now. What is behind it in the field is garbage.
    public static func ofForm(_ body: UnsafeMutableRawBufferPointer) throws(Absence) -> Range<Int> {
        var found: Range<Int>?
        var start = 0
        while start < body.count {
            let end = body.firstIndex(of: UInt8(ascii: "&"), from: start)
            let equals = body.firstIndex(of: UInt8(ascii: "="), from: start, through: end)
            if equals < end, isData(body[start..<equals]) {
                guard found == nil else { throw .notJSON }
                found = equals + 1..<end
            }
            start = end + 1
        }
        guard let found, !found.isEmpty else { throw .malformed }
        return percentDecode(body, found)
    }

    private static func isData(_ name: Slice<UnsafeMutableRawBufferPointer>) -> Bool {
        guard name.count != 4 else { return name.elementsEqual("data".utf8) }
        guard name.count <= 12, name.contains(UInt8(ascii: "%")) else { return false }
        var copy = Array(name)
        return copy.withUnsafeMutableBytes { $0[percentDecode($0, 0..<$0.count)].elementsEqual("data".utf8) }
    }

    /// `+` is a space; an escape that is none stands for itself.
    private static func percentDecode(_ bytes: UnsafeMutableRawBufferPointer, _ range: Range<Int>) -> Range<Int> {
        var (read, write) = (range.lowerBound, range.lowerBound)
        while read < range.upperBound {
            var byte = bytes[read]
            if byte == UInt8(ascii: "%"), read + 2 < range.upperBound, let high = Ascii.hexDigit(bytes[read + 1]),
                let low = Ascii.hexDigit(bytes[read + 2])
            {
                byte = UInt8(high << 4 | low)
                read += 2
            } else if byte == UInt8(ascii: "+") {
                byte = Ascii.space
            }
            bytes[write] = byte
            read += 1
            write += 1
        }
        return range.lowerBound..<write
    }

    /// Decodes the member `data` of a body that is one JSON object: a string is unescaped, anything else
    /// stays as it is. The last one counts, as in most parsers.
    ///
    /// - Returns: where in the body the JSON text of the data lies.
    public static func ofJSON(_ body: UnsafeMutableRawBufferPointer) throws(Absence) -> Range<Int> {
        let value: Range<Int>?
        do throws(EventFault) { value = try data(in: UnsafeRawBufferPointer(body)) } catch { throw .malformed }
        guard let value, let first = value.first else { throw .malformed }
        switch body[first] {
        case Ascii.quote:
            guard value.count > 2 else { throw .malformed }
            return JSONText.unescape(body, first + 1..<value.upperBound - 1)
        case UInt8(ascii: "n"): throw .notJSON
        default: return value
        }
    }

    private static func data(in body: UnsafeRawBufferPointer) throws(EventFault) -> Range<Int>? {
        guard var text = JSONText(body) else { return nil }
        var index = text.spaceEnd(from: 0)
        guard text.byte(at: index) == Ascii.openBrace else { throw text.fault(.notAnObject, at: index) }
        index = text.spaceEnd(from: index + 1)
        var found: Range<Int>?
        var goesOn = text.byte(at: index) != Ascii.closeBrace
        while goesOn {
            guard text.byte(at: index) == Ascii.quote else { throw text.fault(.syntax, at: index) }
            let keyEnd = try text.stringEnd(from: index + 1).index
            let isData = try text.spells("data", in: index + 1..<keyEnd - 1)
            let start = try text.memberValueStart(from: keyEnd)
            let end = try text.valueEnd(from: start)
            if isData { found = start..<end }
            index = text.spaceEnd(from: end)
            goesOn = text.byte(at: index) == Ascii.comma
            if goesOn { index = text.spaceEnd(from: index + 1) }
        }
        guard text.byte(at: index) == Ascii.closeBrace else { throw text.fault(.syntax, at: index) }
        let end = text.spaceEnd(from: index + 1)
        guard end == text.count else { throw EventFault(.trailingBytes, at: end) }
        return found
    }
}
