import SegmentFormat
import StrictJSON

// The calls that write: from a body to entries. A batch is taken whole or not at all.

extension Door {
    /// `/api/add_log`: one entry, bare or in `log`.
    public func addLog(_ body: UnsafeRawBufferPointer, now: UInt64) throws(BodyFault) -> LogEntry {
        try logEntry(wrapped: try Fields.whole(try JSONText.body(body), LogField.all), now: now)
    }

    /// `/api/add_logs` with a list, bare or in `logs`, or with entries one a line where `isNDJSON`; at least one.
    ///
    /// - Parameter most: entries; where there are more, one more is returned, and none that follow are kept.
    public func addLogs(
        _ body: UnsafeRawBufferPointer, isNDJSON: Bool, atMost most: Int, now: UInt64
    ) throws(BodyFault) -> [LogEntry] {
        let entries = isNDJSON ? try lines(body, most, now: now) : try list(body, most, now: now)
        guard !entries.isEmpty else { throw BodyFault(.noEntries, at: 0) }
        return entries
    }

    /// `/api/set_last_login`: bare or in `last_login`.
    public func setLastLogin(_ body: UnsafeRawBufferPointer, now: UInt64) throws(BodyFault) -> LastLogin {
        let fields = try Fields.whole(try JSONText.body(body), LastLoginField.all)
            .unwrapped(required: LastLoginField.username, wrapped: LastLoginField.wrapped, LastLoginField.all)
        return try lastLogin(fields, now: now)
    }

    private func logEntry(wrapped fields: Fields, now: UInt64) throws(BodyFault) -> LogEntry {
        let entry = try fields.unwrapped(required: LogField.username, wrapped: LogField.wrapped, LogField.all)
        return try logEntry(entry, now: now)
    }

    private func lines(_ body: UnsafeRawBufferPointer, _ most: Int, now: UInt64) throws(BodyFault) -> [LogEntry] {
        var entries: [LogEntry] = []
        for line in NDJSONLines(body) {
            if entries.count > most { break }
            do throws(BodyFault) {
                entries.append(try addLog(line.line, now: now))
            } catch {
                throw error.inside(entry: entries.count, at: line.offset)
            }
        }
        return entries
    }

    private static let list = FieldList(Field("logs"))

    private func list(_ body: UnsafeRawBufferPointer, _ most: Int, now: UInt64) throws(BodyFault) -> [LogEntry] {
        var text = try JSONText.body(body)
        var (start, wraps) = (text.spaceEnd(from: 0), false)
        guard start < text.count else { throw BodyFault(EventFault(.unexpectedEnd, at: text.count)) }
        if text.byte(at: start) == Ascii.openBrace {
            let fields = try Fields.whole(text, Self.list)
            guard fields.has(0) else { throw fields.fault(.missing, 0) }
            (start, wraps) = (fields.start(0), true)
        }
        var (entries, count, refusal) = ([LogEntry](), 0, BodyFault?.none)
        var end = start
        let isList: Bool
        do throws(EventFault) {
            isList = try text.forEachElement(of: start) { (text, start) throws(EventFault) in
                defer { count += 1 }
                guard entries.count <= most else { return try text.valueEnd(from: start) }
                let end: Int
                do throws(BodyFault) {
                    let fields = try Fields(text, at: start, LogField.all)
                    end = fields.end
                    if refusal == nil { entries.append(try logEntry(wrapped: fields, now: now)) }
                } catch {
                    refusal = refusal ?? error.inside(entry: count, at: 0)
                    return try text.valueEnd(from: start)
                }
                return end
            }
            if isList, !wraps {
                end = text.spaceEnd(from: try text.valueEnd(from: start))
                if end != text.count { throw EventFault(.trailingBytes, at: end) }
            }
        } catch { throw refusal ?? BodyFault(error) }
        if let refusal { throw refusal }
        guard isList else { throw BodyFault(.invalid("a list of entries"), "logs", at: start) }
        return entries
    }
}

extension BodyFault {
    fileprivate func inside(entry: Int, at start: Int) -> BodyFault {
        var fault = self
        fault.entry = entry
        fault.offset += start
        return fault
    }
}

extension JSONText {
    static func body(_ bytes: UnsafeRawBufferPointer) throws(BodyFault) -> JSONText {
        guard let text = JSONText(bytes) else { throw BodyFault(EventFault(.unexpectedEnd, at: 0)) }
        return text
    }
}

extension Fields {
    /// The fields of a body that is one object and nothing else.
    static func whole(_ text: JSONText, _ list: FieldList) throws(BodyFault) -> Fields {
        var text = text
        let start = text.spaceEnd(from: 0)
        guard start < text.count else { throw BodyFault(EventFault(.unexpectedEnd, at: text.count)) }
        let fields = try Fields(text, at: start, list)
        let end = text.spaceEnd(from: fields.end)
        guard end == text.count else { throw BodyFault(EventFault(.trailingBytes, at: end)) }
        return fields
    }
}
