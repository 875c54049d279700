import StrictJSON

/// A row of a CouchDB answer (`_all_docs`, a view), as far as it is an event.
///
/// `{"id":…,"key":…,"value":{…},"doc":{…}}`: the document where there is one, else the value where it is an
/// object with a timestamp.
public enum DumpRow: Equatable, Sendable {
    /// The bytes of the row that are to be scanned as an event.
    case event(Range<Int>)
    case leftOut(Reason)

    /// Why a row without a fault is no event.
    public enum Reason: String, CaseIterable, Sendable {
        case designDocument = "design_document"
        case deleted
        /// CouchDB has an error in its place.
        case missing
        case withoutTimestamp = "without_timestamp"
    }

    /// - Throws: the first rule of JSON that the row breaks; the offset counts from its start.
    public init(_ row: UnsafeRawBufferPointer) throws(EventFault) {
        guard var text = JSONText(row) else { throw EventFault(.unexpectedEnd, at: 0) }
        self = try RowMembers(&text).row
    }
}

/// What the members of a row say.
private struct RowMembers {
    private var document: ObjectFacts?
    private var value: ObjectFacts?
    private var isDesignDocument = false
    private var isError = false

    init(_ text: inout JSONText) throws(EventFault) {
        guard text.byte(at: 0) == Ascii.openBrace else { throw text.fault(.notAnObject, at: 0) }
        let end = try text.forEachMember(of: 0) { (text, key, start) throws(EventFault) in
            if try text.key(key, is: "doc") {
                return try ObjectFacts.read(&text, from: start, into: &document)
            }
            if try text.key(key, is: "value") {
                return try ObjectFacts.read(&text, from: start, into: &value)
            }
            if try text.key(key, is: "id") {
                isDesignDocument = text.holds(#""_design/"#, at: start) || text.holds(#""_design\/"#, at: start)
            }
            if try text.key(key, is: "error") { isError = true }
            return try text.valueEnd(from: start)
        }
        guard end == text.count else { throw EventFault(.trailingBytes, at: end) }
    }

    var row: DumpRow {
        if isDesignDocument { return .leftOut(.designDocument) }
        if isDeleted { return .leftOut(.deleted) }
        if isError { return .leftOut(.missing) }
        guard let event = document ?? value, event.hasTimestamp else { return .leftOut(.withoutTimestamp) }
        return .event(event.range)
    }

    private var isDeleted: Bool {
        if document?.isDeleted == true || value?.isDeleted == true { return true }
        return value.map { $0.tellsOfDeletion && !$0.hasTimestamp } ?? false
    }
}

private struct ObjectFacts {
    var range: Range<Int>
    var hasTimestamp = false
    /// What a document says of itself.
    var isDeleted = false
    /// What CouchDB says of a document in `value`, unless it is a member of an event.
    var tellsOfDeletion = false

    /// The end of the value at `start`; the facts are those of an object, `nil` for any other value.
    static func read(
        _ text: inout JSONText, from start: Int, into facts: inout ObjectFacts?
    ) throws(EventFault) -> Int {
        facts = nil
        guard text.byte(at: start) == Ascii.openBrace else { return try text.valueEnd(from: start) }
        var found = ObjectFacts(range: start..<start)
        let end = try text.forEachMember(of: start) { (text, key, start) throws(EventFault) in
            if try text.key(key, is: "timestamp") { found.hasTimestamp = true }
            if try text.key(key, is: "_deleted"), text.holds("true", at: start) { found.isDeleted = true }
            if try text.key(key, is: "deleted"), text.holds("true", at: start) { found.tellsOfDeletion = true }
            return try text.valueEnd(from: start)
        }
        found.range = start..<end
        facts = found
        return end
    }
}
