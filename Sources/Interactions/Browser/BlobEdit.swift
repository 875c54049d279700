import SegmentFormat
import StrictJSON

/// The work on one blob: checks its fields, and writes it anew, each kept member from behind the comma before it
/// to the comma behind it, as it came.
struct BlobEdit {
    private typealias Replacement = (range: Range<Int>, text: String)

    private let json: ValidJSON
    private let resolution: Resolution
    private let unknownFields: UnknownFields
    private let context: BlobContext
    private(set) var line: [UInt8] = []
    private(set) var changes: [BlobChange] = []
    private var isFirst = true
    private var hasTimestamp = false
    private var hasAgent = false
    private var hasRate = false

    init(_ json: ValidJSON, resolution: Resolution, unknownFields: UnknownFields, _ context: BlobContext) {
        self.json = json
        self.resolution = resolution
        self.unknownFields = unknownFields
        self.context = context
    }

    mutating func run(_ open: Int) throws(BlobFault) {
        let members = json.members(of: open)
        line.reserveCapacity(json.bytes.count - open + 128)
        line.append(Ascii.openBrace)
        var start = open + 1
        for member in members {
            let end = json.spaceEnd(from: member.value.upperBound)
            try take(member, start..<end)
            start = end + 1
        }
        complete()
        line.append(Ascii.closeBrace)
    }

    /// `slice` is the member with the space around it.
    private mutating func take(_ member: ValidJSON.Member, _ slice: Range<Int>) throws(BlobFault) {
        guard let field = BlobField.named(member.name, in: json) else { return try takeUnknown(member, slice) }
        let value = BlobValue(json: json, range: member.value, place: BlobPlace(field))
        // Null is as good as absent; where something is due in its place, it has to make room.
        if value.isNull {
            switch field {
            case .timestamp, .userAgent, .sampleRate: return
            default: break
            }
        } else if let fault = field.fault(of: member.value, in: json) {
            throw fault
        }
        switch field {
        case .localTimestamp: changes.append(.localTimestamp)
        case .timestamp:
            hasTimestamp = true
            write(slice, replacing: try time(of: value).map { [(member.value, $0)] } ?? [])
        case .sampleRate:
            hasRate = true
            write(slice, replacing: rate(value.number ?? 1).map { [(member.value, $0)] } ?? [])
        case .userAgent:
            hasAgent = true
            let version = version(in: member.value)
            // A version may look like an address until it is cut.
            let others = addresses(in: member.value).filter { edit in
                !version.contains { $0.range.overlaps(edit.range) }
            }
            write(slice, replacing: version, removing: others)
        default: write(member, slice)
        }
    }

    private mutating func takeUnknown(_ member: ValidJSON.Member, _ slice: Range<Int>) throws(BlobFault) {
        switch unknownFields {
        case .pass: write(member, slice)
        case .drop: changes.append(.unknownField)
        case .refuse:
            let name = json.unescaped(member.name, atMost: BlobField.Bound.nameBytes) ?? []
            throw BlobFault(.unknownField, field: String(decoding: name, as: UTF8.self), "nobody knows this field")
        }
    }

    // MARK: - Writing

    private mutating func separate() {
        if !isFirst { line.append(Ascii.comma) }
        isFirst = false
    }

    private mutating func add(_ member: String) {
        separate()
        line.append(contentsOf: member.utf8)
    }

    private mutating func write(
        _ slice: Range<Int>, replacing edits: [Replacement] = [], removing addresses: [Replacement] = []
    ) {
        separate()
        guard !edits.isEmpty || !addresses.isEmpty else { return line.append(contentsOf: json.bytes[slice]) }
        var start = slice.lowerBound
        for (range, text) in (edits + addresses).sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) {
            line.append(contentsOf: json.bytes[start..<range.lowerBound])
            line.append(contentsOf: text.utf8)
            start = range.upperBound
        }
        line.append(contentsOf: json.bytes[start..<slice.upperBound])
        for _ in addresses { changes.append(.address) }
    }

    /// Without addresses: a member that is one goes; in a deeper place a text becomes `null`, a name empty.
    private mutating func write(_ member: ValidJSON.Member, _ slice: Range<Int>) {
        let isText = json.bytes[member.value.lowerBound] == Ascii.quote
        guard !isAddress(member.name), !isText || !isAddress(member.value.withoutEnds) else {
            return changes.append(.address)
        }
        write(slice, removing: isText ? [] : addresses(in: member.value))
    }

    private func addresses(in value: Range<Int>) -> [Replacement] {
        var edits: [Replacement] = []
        var index = value.lowerBound
        while index < value.upperBound {
            guard json.bytes[index] == Ascii.quote else {
                index += 1
                continue
            }
            let end = json.stringEnd(at: index)
            if isAddress((index..<end).withoutEnds) {
                let next = json.spaceEnd(from: end)
                let isName = next < value.upperBound && json.bytes[next] == Ascii.colon
                edits.append((index..<end, isName ? "\"\"" : "null"))
            }
            index = end
        }
        return edits
    }

    private func isAddress(_ text: Range<Int>) -> Bool {
        guard text.count >= 2, AddressText.mayBegin(with: json.bytes[text.lowerBound]) else { return false }
        return json.unescaped(text, atMost: AddressText.longest).map(AddressText.matches) ?? false
    }

    /// What is missing and due.
    private mutating func complete() {
        if !hasTimestamp {
            add(#""timestamp":\#(now)"#)
            changes.append(.timestampMissing)
        }
        if !hasAgent, let agent = context.userAgent { add(#""user_agent":\#(CoarseAgent(userAgent: agent).json)"#) }
        if !hasRate, let rate = rate(1) { add(#""sample_rate":\#(rate)"#) }
    }

    // MARK: - Values

    /// Floored already: an exact time of arrival is nobody's business.
    private var now: UInt64 { resolution.bucket(of: context.now).milliseconds }

    /// What is to stand in place of a timestamp; `nil` where it may stay.
    private mutating func time(of value: BlobValue) throws(BlobFault) -> String? {
        let timestamp = try value.timestamp()
        let floored = timestamp.floored(to: resolution)
        guard let read = EventTimestamp(floored.stored), read.milliseconds == floored.bucket.milliseconds else {
            changes.append(.timestampTooOld)
            return String(now)
        }
        guard timestamp.milliseconds <= context.now + BlobIntake.aheadMilliseconds else {
            changes.append(.timestampAhead)
            return String(now)
        }
        return nil
    }

    /// `nil` where the rate stays what it is.
    private func rate(_ rate: Double) -> String? {
        context.sample.rate < 1 ? "\(rate * context.sample.rate)" : nil
    }

    /// A version that is a text is cut before its first dot.
    private func version(in agent: Range<Int>) -> [Replacement] {
        json.members(of: agent.lowerBound).compactMap { member in
            guard json.isText(member.name, "version"), json.bytes[member.value.lowerBound] == Ascii.quote
            else { return nil }
            let text = member.value.withoutEnds
            guard let dot = json.bytes[text].firstIndex(of: UInt8(ascii: ".")) else { return nil }
            return (dot..<text.upperBound, "")
        }
    }
}
