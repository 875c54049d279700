import StrictJSON

/// The body of a browser's post, `{"data": blob or [blobs], "csrf": "…"}`: where in it what is.
public struct BrowserPost: Equatable, Sendable {
    /// The JSON text of the blobs.
    public let data: Range<Int>
    /// The token without its quotes, as it came; `nil` where there is none.
    public let token: Range<Int>?

    /// - Throws: the first rule of JSON that the body breaks; `notAnObject` where it is no object, and
    ///   `noEvents` where it has no data.
    public init(_ body: UnsafeRawBufferPointer) throws(EventFault) {
        guard var text = JSONText(body) else { throw EventFault(.unexpectedEnd, at: 0) }
        let open = text.spaceEnd(from: 0)
        guard text.byte(at: open) == Ascii.openBrace else { throw text.fault(.notAnObject, at: open) }
        let end = text.spaceEnd(from: try text.valueEnd(from: open))
        guard end == text.count else { throw EventFault(.trailingBytes, at: end) }
        let json = ValidJSON(body)
        var (data, token) = (Range<Int>?.none, Range<Int>?.none)
        // The last of a name counts, as in most parsers.
        json.forEachMember(of: open) { member in
            if json.isText(member.name, "data") {
                data = member.value
            } else if json.isText(member.name, "csrf") {
                let isText = body[member.value.lowerBound] == Ascii.quote
                token = isText ? member.value.withoutEnds : nil
            }
        }
        guard let data else { throw EventFault(.noEvents, at: open) }
        self.data = data
        self.token = token
    }
}
