import SegmentFormat

// Beside a log its owner may have to remember something small that changes often. Two files, written in turn in
// room that was allocated at the start: a cut in the middle of a write leaves the other one whole, and a full
// disk does not matter (SPEC Z11).

/// A small text that is replaced whole, durably. One caller at a time.
public final class DurableNote: @unchecked Sendable {
    /// Of a content.
    public static let mostBytes = slotBytes - headerBytes

    private static let slotBytes = 64 << 10
    private static let headerBytes = 128
    private static let magic = "daybook-note 1"

    /// What was found: the newest content that is whole, or `nil`.
    public let content: [UInt8]?
    /// There were files, and none of them was whole: the content is lost, or it never came to be.
    public let isDamaged: Bool
    private let slots: [StoreFile]
    private var generation: UInt64
    private var failure: StoreError?

    /// Opens the note at `path`, of which `.0` and `.1` are the files; makes them where they are not there.
    public init(_ path: String, disk: any Disk) throws(StoreError) {
        let found = try Self.read(path, disk: disk)
        (content, isDamaged) = (found.newest?.content, found.newest == nil && found.isThere)
        generation = found.newest?.generation ?? 0
        slots = try Self.paths(path).map { (path) throws(StoreError) in
            if try disk.fileLength(path) == nil {
                try disk.allocateFile(path, bytes: UInt64(Self.slotBytes))
                try StoreFile(disk, path, .update).sync(.note)
                try disk.syncNames(of: Layout.directory(of: path), .noteDirectory)
            }
            return try StoreFile(disk, path, .update)
        }
    }

    /// The content as it is durable now, for those who do not own the note; `nil` where there is none.
    public static func content(at path: String, disk: any Disk) throws(StoreError) -> [UInt8]? {
        try read(path, disk: disk).newest?.content
    }

    /// Returns when the new content is durable. After a failure nothing more is written: which of the two is on
    /// the disk is seen when the note is opened again.
    public func replace(with content: [UInt8]) throws(StoreError) {
        if let failure { throw .poisoned(by: failure) }
        precondition(content.count <= Self.mostBytes, "a note holds at most \(Self.mostBytes) bytes")
        do throws(StoreError) {
            let slot = slots[Int((generation + 1) % 2)]
            try slot.write(Self.encoded(content, generation + 1), at: 0)
            try slot.sync(.note)
            generation += 1
        } catch {
            failure = error
            throw error
        }
    }

    // MARK: - Bytes

    private typealias Whole = (generation: UInt64, content: [UInt8])

    private static func paths(_ path: String) -> [String] { ["\(path).0", "\(path).1"] }

    /// A line of text, filled up with spaces, and the content behind it.
    private static func encoded(_ content: [UInt8], _ generation: UInt64) -> [UInt8] {
        let hash = content.withUnsafeBytes { xxh3Wide($0, seed: generation) }.hex
        let line = Array("\(magic) \(generation) \(content.count) \(hash)".utf8)
        return line + [UInt8](repeating: 0x20, count: headerBytes - 1 - line.count) + [0x0A] + content
    }

    private static func read(_ path: String, disk: any Disk) throws(StoreError) -> (newest: Whole?, isThere: Bool) {
        var (newest, isThere) = (Whole?.none, false)
        for path in paths(path) {
            guard let file = try StoreFile.openIfThere(disk, path) else { continue }
            isThere = true
            guard let found = decoded(try file.read(slotBytes, at: 0)) else { continue }
            if found.generation > newest?.generation ?? 0 { newest = found }
        }
        return (newest, isThere)
    }

    private static func decoded(_ bytes: [UInt8]) -> Whole? {
        guard bytes.count >= headerBytes else { return nil }
        let words = String(decoding: bytes[..<headerBytes], as: UTF8.self).split { $0 == " " || $0 == "\n" }
        guard words.count == 5, "\(words[0]) \(words[1])" == magic, let generation = UInt64(words[2]),
            let count = Int(words[3]), count >= 0, headerBytes + count <= bytes.count
        else { return nil }
        let content = Array(bytes[headerBytes..<headerBytes + count])
        return encoded(content, generation)[..<headerBytes] == bytes[..<headerBytes] ? (generation, content) : nil
    }
}
