import NIOCore

extension AuditRecord {
    /// The record of the stream `audit` (SPEC AC14), without its LF.
    func line(stream: String) -> String {
        var json = ByteBuffer(string: #"{"timestamp":\#(bucket),"type":"#)
        switch access.kind {
        case .read(let what):
            json.writeStaticString(#""read","stream":"#)
            json.writeJSON(stream)
            json.write(member: "who", access.who)
            json.write(member: "what", what)
            json.writeString(#","from":\#(access.from.map(String.init) ?? "null")"#)
            json.writeString(#","to":\#(access.to.map(String.init) ?? "null")"#)
            json.write(member: "subject", access.subject)
            json.writeString(#","times":\#(times),"events":\#(events)}"#)
        case .refusal(let reason):
            json.writeStaticString(#""refusal","stream":"#)
            json.writeJSON(stream)
            json.write(member: "who", access.who)
            json.write(member: "reason", reason)
            json.writeString(#","times":\#(times)}"#)
        }
        return String(buffer: json)
    }
}

extension ByteBuffer {
    fileprivate mutating func write(member name: StaticString, _ value: String?) {
        writeStaticString(",\"")
        writeStaticString(name)
        writeStaticString("\":")
        if let value { writeJSON(value) } else { writeStaticString("null") }
    }
}
