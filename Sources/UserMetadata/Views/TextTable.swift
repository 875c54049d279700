import Glibc
import SegmentFormat

/// Texts, each once, by a number: 0, 1, 2 … as they came. The number of a text that was removed is given to
/// another.
struct TextTable {
    private struct Entry {
        var offset: Int
        var length: UInt32
        /// Of the hash, to compare texts rarely.
        var mark: UInt32
    }

    private static let free = UInt32.max
    private static let leastWasted = 4_096
    private(set) var bytes: [UInt8] = []
    /// Bytes of texts that were removed.
    private var wasted = 0
    private var entries: [Entry] = []
    /// Open addressing, never more than three quarters full: the number of a text and 1; 0 where there is none.
    private var slots: [UInt32] = Array(repeating: 0, count: 16)
    private var freed: [UInt32] = []
    private let seed: UInt64

    /// `seed` keeps clients from choosing texts that meet in one place; nothing that is told depends on it.
    init(seed: UInt64) { self.seed = seed }

    /// Takes room for so many texts at once.
    mutating func reserve(_ count: Int) {
        entries.reserveCapacity(count)
        var size = slots.count
        while count * 4 > size * 3 { size *= 2 }
        if size > slots.count { rehash(size) }
    }

    var count: Int { entries.count - freed.count }

    private func hash(_ text: UnsafeRawBufferPointer) -> UInt64 { xxh3(text, seed: seed) }

    func find(_ text: [UInt8]) -> Int? { text.withUnsafeBytes { find($0, hash($0)) } }

    private func find(_ text: UnsafeRawBufferPointer, _ hash: UInt64) -> Int? {
        var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[slot] != 0 {
            let number = Int(slots[slot] - 1)
            if entries[number].mark == UInt32(truncatingIfNeeded: hash >> 32), equals(entries[number], text) {
                return number
            }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    private func equals(_ entry: Entry, _ text: UnsafeRawBufferPointer) -> Bool {
        guard entry.length == text.count, let base = text.baseAddress else { return entry.length == text.count }
        return bytes.withUnsafeBytes { bytes in
            bytes.baseAddress.map { memcmp($0 + entry.offset, base, text.count) == 0 } ?? false
        }
    }

    mutating func insert(_ text: [UInt8]) -> Int { text.withUnsafeBytes { insert($0) } }

    mutating func insert(_ text: UnsafeRawBufferPointer) -> Int {
        let hash = hash(text)
        if let number = find(text, hash) { return number }
        let entry = Entry(
            offset: bytes.count, length: UInt32(text.count), mark: UInt32(truncatingIfNeeded: hash >> 32))
        bytes.append(contentsOf: text)
        let number: UInt32
        if let reused = freed.popLast() {
            number = reused
            entries[Int(number)] = entry
        } else {
            number = UInt32(entries.count)
            entries.append(entry)
        }
        if (count + 1) * 4 > slots.count * 3 { rehash(slots.count * 2) } else { place(number, hash) }
        return Int(number)
    }

    private mutating func place(_ number: UInt32, _ hash: UInt64) {
        var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = number + 1
    }

    private mutating func rehash(_ size: Int) {
        slots = Array(repeating: 0, count: size)
        for number in numbers { place(UInt32(number), self[number].withUnsafeBytes { hash($0) }) }
    }

    /// The text is overwritten where it lay.
    mutating func remove(_ number: Int) {
        vacate(slot(of: number))
        let entry = entries[number]
        for index in entry.offset..<entry.offset + Int(entry.length) { bytes[index] = 0 }
        entries[number].length = Self.free
        freed.append(UInt32(number))
        wasted += Int(entry.length)
        if wasted > Self.leastWasted, wasted > bytes.count / 2 { pack() }
    }

    /// Closes the gaps that removed texts left.
    private mutating func pack() {
        var packed: [UInt8] = []
        packed.reserveCapacity(bytes.count - wasted)
        for number in 0..<end where entries[number].length != Self.free {
            let entry = entries[number]
            entries[number].offset = packed.count
            packed += bytes[entry.offset..<entry.offset + Int(entry.length)]
        }
        (bytes, wasted) = (packed, 0)
    }

    private func home(_ number: Int) -> Int {
        let hash = self[number].withUnsafeBytes { self.hash($0) }
        return Int(truncatingIfNeeded: hash) & (slots.count - 1)
    }

    private func slot(of number: Int) -> Int {
        var slot = home(number)
        while slots[slot] != UInt32(number + 1) { slot = (slot + 1) & (slots.count - 1) }
        return slot
    }

    /// Moves what was pushed behind the slot closer to its home (Knuth, volume 3, 6.4, algorithm R).
    private mutating func vacate(_ slot: Int) {
        var (hole, next) = (slot, slot)
        while true {
            next = (next + 1) & (slots.count - 1)
            guard slots[next] != 0 else { break }
            let distance = (next - home(Int(slots[next] - 1))) & (slots.count - 1)
            guard distance >= (next - hole) & (slots.count - 1) else { continue }
            slots[hole] = slots[next]
            hole = next
        }
        slots[hole] = 0
    }

    subscript(number: Int) -> [UInt8] {
        let entry = entries[number]
        return Array(bytes[entry.offset..<entry.offset + Int(entry.length)])
    }

    /// Compares two texts by their bytes.
    func isBefore(_ a: Int, _ b: Int) -> Bool {
        let (first, second) = (entries[a], entries[b])
        let order = bytes.withUnsafeBytes { bytes in
            bytes.baseAddress.map {
                memcmp($0 + first.offset, $0 + second.offset, Int(min(first.length, second.length)))
            } ?? 0
        }
        return order != 0 ? order < 0 : first.length < second.length
    }

    /// Whether the text of a number comes behind another one.
    func isBehind(_ number: Int, _ text: [UInt8]) -> Bool {
        let entry = entries[number]
        let order = bytes.withUnsafeBytes { bytes in
            bytes.baseAddress.map { memcmp($0 + entry.offset, text, min(Int(entry.length), text.count)) } ?? 0
        }
        return order != 0 ? order > 0 : entry.length > text.count
    }

    /// No number is so great.
    var end: Int { entries.count }
    var numbers: some Swift.Sequence<Int> { numbers(in: 0..<end) }

    func numbers(in range: Range<Int>) -> some Swift.Sequence<Int> {
        range.lazy.filter { entries[$0].length != Self.free }
    }

    /// All numbers, by their texts.
    var sorted: [Int] { numbers.sorted { isBefore($0, $1) } }
}
