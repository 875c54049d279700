import Interactions
import LogEngine
import SegmentFormat

/// The row of an event, as `GET /wsapi/interaction_data` answers it in JSON:
/// `{"id":"…","key":timestamp,"value":{…,"_id":"…","_rev":"1-…"}}`.
///
/// `value` is the stored line with two members put before its closing brace; `_rev` is `1-` and the
/// XXH3-64 of the line in hex.
public struct EventRow {
    private let line: UnsafeRawBufferPointer
    private let id: EventID

    /// - Parameter line: a stored line without its LF, valid as long as the row is used.
    public init(_ line: UnsafeRawBufferPointer, id: EventID) {
        self.line = line
        self.id = id
    }

    private static let idMember: StaticString = #"{"id":""#
    private static let keyMember: StaticString = #"","key":"#
    private static let valueMember: StaticString = #","value":"#
    private static let innerID: StaticString = #","_id":""#
    private static let innerRevision: StaticString = #"","_rev":"1-"#
    private static let valueEnd: StaticString = "\"}"
    private static let rowEnd: StaticString = "}"
    private static let sequenceMember: StaticString = #"{"seq":"#
    private static let changeID: StaticString = #","id":""#
    private static let changeRevision: StaticString = #"","changes":[{"rev":"1-"#
    private static let changeDocument: StaticString = #""}],"doc":"#
    private static let changeEnd: StaticString = "}\r\n"
    private static let revisionBytes = 16
    /// What a row or a change has besides the line, and the timestamp that a row repeats, at most.
    private static let overhead = 160

    /// An upper bound of the bytes of a row.
    public var maximumByteCount: Int { line.count + Self.overhead }

    /// Writes the row, which `place` has room for; returns its length.
    public func write(to place: UnsafeMutableRawPointer) -> Int {
        var end = place
        Self.put(Self.idMember, at: &end)
        id.write(to: end)
        end += EventID.byteCount
        Self.put(Self.keyMember, at: &end)
        if let digits = storedTimestamp(line), digits.count <= 20 {
            Self.put(UnsafeRawBufferPointer(rebasing: line[digits]), at: &end)
        } else {
            Self.put("null", at: &end)
        }
        Self.put(Self.valueMember, at: &end)
        end += writeValue(to: end)
        Self.put(Self.rowEnd, at: &end)
        return end - place
    }

    /// Writes the event as a change, as `GET /wsapi/interaction_data/stream` tells it, with CR LF:
    /// `{"seq":n,"id":"…","changes":[{"rev":"1-…"}],"doc":{…}}`; returns its length.
    func writeChange(to place: UnsafeMutableRawPointer) -> Int {
        var end = place
        Self.put(Self.sequenceMember, at: &end)
        Self.putDecimal(id.sequence.value, at: &end)
        Self.put(Self.changeID, at: &end)
        id.write(to: end)
        end += EventID.byteCount
        Self.put(Self.changeRevision, at: &end)
        Self.putHex(xxh3(line), at: &end)
        Self.put(Self.changeDocument, at: &end)
        Self.put(line, at: &end)
        Self.put(Self.changeEnd, at: &end)
        return end - place
    }

    /// Writes `value` alone; returns its length.
    func writeValue(to place: UnsafeMutableRawPointer) -> Int {
        var end = place
        Self.put(UnsafeRawBufferPointer(rebasing: line.dropLast()), at: &end)
        Self.put(Self.innerID, at: &end)
        id.write(to: end)
        end += EventID.byteCount
        Self.put(Self.innerRevision, at: &end)
        Self.putHex(xxh3(line), at: &end)
        Self.put(Self.valueEnd, at: &end)
        return end - place
    }

    private static func put(_ text: StaticString, at end: inout UnsafeMutableRawPointer) {
        put(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount), at: &end)
    }

    private static func put(_ bytes: UnsafeRawBufferPointer, at end: inout UnsafeMutableRawPointer) {
        guard let base = bytes.baseAddress else { return }
        end.copyMemory(from: base, byteCount: bytes.count)
        end += bytes.count
    }

    private static func putDecimal(_ value: UInt64, at end: inout UnsafeMutableRawPointer) {
        var text = String(value)
        text.withUTF8 { put(UnsafeRawBufferPointer($0), at: &end) }
    }

    private static func putHex(_ value: UInt64, at end: inout UnsafeMutableRawPointer) {
        for index in 0..<revisionBytes {
            let digit = UInt8(truncatingIfNeeded: value >> UInt64(60 - 4 * index)) & 0xF
            end.storeBytes(of: digit < 10 ? 0x30 + digit : 0x57 + digit, toByteOffset: index, as: UInt8.self)
        }
        end += revisionBytes
    }
}
