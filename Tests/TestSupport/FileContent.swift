// What a file of the virtual disk holds: what programs see of it, what is on the platter, and the
// changes that lie between the two until a sync.

/// A change of a file that was not synced yet.
enum FileChange: Sendable {
    /// One `pwritev`; the pieces lie one behind the other from `offset` on.
    case write(offset: Int, bytes: [UInt8], pieces: [Range<Int>])
    case truncate(length: Int)
    case allocate(length: Int)
}

/// The bytes of a file. Zeros that were allocated and never written are only counted.
struct FileBytes: Sendable {
    var written: [UInt8] = []
    var allocated = 0

    var count: Int { max(written.count, allocated) }
}

struct FileContent: Sendable {
    private(set) var visible: FileBytes
    private(set) var durable: FileBytes
    private var pending: [FileChange] = []
    var modificationTime: UInt64 = 0

    init(durable bytes: FileBytes = FileBytes()) {
        visible = bytes
        durable = bytes
    }

    mutating func change(_ change: FileChange) {
        change.apply(to: &visible)
        pending.append(change)
    }

    mutating func sync() {
        for change in pending { change.apply(to: &durable) }
        pending = []
    }

    /// A sync that failed: the kernel marks the pages clean all the same, so no later sync writes
    /// them, while reads go on seeing them (the "fsyncgate" of PostgreSQL, 2018).
    mutating func failSync() { pending = [] }

    /// The file as it comes back after a power loss.
    func surviving(_ mode: PowerLossMode, _ random: inout SeededRandom) -> FileBytes {
        var bytes = durable
        for change in pending {
            switch mode {
            case .keepAll: change.apply(to: &bytes)
            case .dropAll: break
            case .random: change.applySome(to: &bytes, &random)
            }
        }
        return bytes
    }
}

extension FileChange {
    static let sectorBytes = 512

    init(pieces: [UnsafeRawBufferPointer], at offset: Int) {
        var bytes: [UInt8] = []
        var ranges: [Range<Int>] = []
        bytes.reserveCapacity(pieces.reduce(0) { $0 + $1.count })
        for piece in pieces {
            ranges.append(bytes.count..<bytes.count + piece.count)
            bytes.append(contentsOf: piece)
        }
        self = .write(offset: offset, bytes: bytes, pieces: ranges)
    }

    /// The first `count` bytes of a write.
    func prefix(_ count: Int) -> FileChange {
        guard case .write(let offset, let bytes, let pieces) = self, count < bytes.count else { return self }
        let kept = pieces.filter { $0.lowerBound < count }.map { $0.clamped(to: 0..<count) }
        return .write(offset: offset, bytes: Array(bytes[..<count]), pieces: kept)
    }

    func apply(to file: inout FileBytes) {
        switch self {
        case .write(let offset, let bytes, _):
            Self.put(bytes, bytes.indices, at: offset, into: &file.written)
        case .truncate(let length):
            file.allocated = min(file.allocated, length)
            if length > file.count { Self.grow(&file.written, to: length) }
            file.written.removeLast(max(0, file.written.count - length))
        case .allocate(let length):
            file.allocated = max(file.allocated, length)
        }
    }

    /// Keeps, drops or tears the change.
    func applySome(to file: inout FileBytes, _ random: inout SeededRandom) {
        guard case .write(let offset, let bytes, let pieces) = self else {
            if random.oneIn(2) { apply(to: &file) }
            return
        }
        switch Int.random(in: 0..<6, using: &random) {
        case 0: apply(to: &file)
        case 1: break
        case 2: Self.keepSome(of: pieces, bytes, at: offset, in: &file.written, &random)
        case 3: FileChange.truncate(length: max(file.count, offset + bytes.count)).apply(to: &file)
        default: Self.keepSome(of: Self.sectors(of: bytes, at: offset), bytes, at: offset, in: &file.written, &random)
        }
    }

    private static func keepSome(
        of parts: [Range<Int>], _ bytes: [UInt8], at offset: Int, in file: inout [UInt8], _ random: inout SeededRandom
    ) {
        for part in parts where random.oneIn(2) { put(bytes, part, at: offset, into: &file) }
    }

    /// The bytes cut where the sectors of the disk end.
    private static func sectors(of bytes: [UInt8], at offset: Int) -> [Range<Int>] {
        var parts: [Range<Int>] = []
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start + sectorBytes - (offset + start) % sectorBytes)
            parts.append(start..<end)
            start = end
        }
        return parts
    }

    /// Puts `part` of the bytes where it belongs; a gap before it becomes zeros.
    private static func put(_ bytes: [UInt8], _ part: Range<Int>, at offset: Int, into file: inout [UInt8]) {
        let end = offset + part.upperBound
        grow(&file, to: end)
        file.withUnsafeMutableBytes { target in
            bytes.withUnsafeBytes { source in
                let place = UnsafeMutableRawBufferPointer(rebasing: target[offset + part.lowerBound..<end])
                place.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[part]))
            }
        }
    }

    private static func grow(_ file: inout [UInt8], to length: Int) {
        if file.count < length { file += [UInt8](repeating: 0, count: length - file.count) }
    }
}
