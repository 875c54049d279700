import HTTPTypes

// What the parser lets through although another reader could cut it in another way (RFC 9112 §6.3), and
// what it does not read on behind.

extension HTTPRequest {
    /// A transfer coding is `chunked` alone. An empty one, beside a length or without, is told apart by no
    /// parser that knows none.
    var isFramedSoundly: Bool {
        guard headerFields.contains(.transferEncoding) else { return true }
        return headerFields.only(.transferEncoding)?.lowercased() == "chunked"
            && !headerFields.contains(.contentLength)
    }

    /// The parser takes what follows for another protocol, and we speak none. So the answer is the last one.
    var asksForOtherProtocol: Bool {
        guard method != .connect else { return true }
        guard headerFields.contains(.upgrade) else { return false }
        return headerFields[values: .connection].flatMap { $0.split(separator: ",") }
            .contains { $0.filter { $0 != " " && $0 != "\t" }.lowercased() == "upgrade" }
    }
}
