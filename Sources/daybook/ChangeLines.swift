import LogEngine
import SegmentFormat

/// Takes the stored lines out of the changes that a server tells (SPEC W14), and prints them. Each is checked
/// against its revision, which is its hash (SPEC I1).
struct ChangeLines {
    private static let changeEnd = UInt8(ascii: "}")
    /// What a change has besides its line, at most.
    private static let overhead = 256

    private let server: ServerAddress
    /// Where it is known, the store that the events must be of.
    private let store: StoreID?
    private var pending: [UInt8] = []

    init(from server: ServerAddress, of store: StoreID?) {
        self.server = server
        self.store = store
    }

    /// Returns how many changes ended in the piece.
    mutating func write(_ piece: UnsafeRawBufferPointer, to console: Console) throws -> Int {
        var rest = piece[...]
        var count = 0
        while let end = rest.firstIndex(of: 0x0A) {
            pending += rest[..<end]
            rest = rest[(end + 1)...]
            if try write(pending, to: console) { count += 1 }
            pending.removeAll(keepingCapacity: true)
        }
        guard pending.count + rest.count <= Bounds.lineBytes + Self.overhead else { throw foreign }
        pending += rest
        return count
    }

    /// False for the empty line that only tells that the server is there.
    private func write(_ line: [UInt8], to console: Console) throws -> Bool {
        guard line.last == 0x0D else { throw foreign }
        guard line.count > 1 else { return false }
        var fields = ChangeFields(line.dropLast())
        guard fields.take(#"{"seq":"#), fields.takeNumber() != nil, fields.take(#","id":""#),
            let id = fields.take(EventID.byteCount).flatMap({ EventID($0) }),
            fields.take(#"","changes":[{"rev":"1-"#), let revision = fields.take(16),
            fields.take(#""}],"doc":"#), fields.rest.last == Self.changeEnd
        else { throw foreign }
        guard store ?? id.store == id.store else {
            throw CommandFailure(.usage, "\(server.url): the event of --since is one of another store")
        }
        try fields.rest.dropLast().withUnsafeBytes { event in
            guard xxh3(event).hex == revision else { throw foreign }
            try console.write(event)
        }
        try console.write("\n")
        return true
    }

    private var foreign: CommandFailure {
        CommandFailure(.unavailable, "\(server.url): the server's answer is not one of Daybook's")
    }
}

/// What is left of a change that is taken apart.
private struct ChangeFields {
    private(set) var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    mutating func take(_ text: String) -> Bool {
        guard rest.starts(with: text.utf8) else { return false }
        rest = rest.dropFirst(text.utf8.count)
        return true
    }

    mutating func take(_ count: Int) -> String? {
        guard rest.count >= count else { return nil }
        defer { rest = rest.dropFirst(count) }
        return String(decoding: rest.prefix(count), as: UTF8.self)
    }

    mutating func takeNumber() -> UInt64? {
        let digits = rest.prefix { (0x30...0x39).contains($0) }
        rest = rest[digits.endIndex...]
        return UInt64(String(decoding: digits, as: UTF8.self))
    }
}
