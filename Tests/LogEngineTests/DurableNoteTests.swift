import SegmentFormat
import TestSupport
import Testing

@testable import LogEngine

@Suite("A note that is replaced durably")
struct DurableNoteTests {
    private static func disk() throws -> VirtualDisk {
        let disk = VirtualDisk()
        try disk.makeDirectory("/n")
        try disk.syncDirectory("/", .storeDirectory)
        return disk
    }

    /// Longer and shorter by turns.
    private static func content(_ number: Int) -> [UInt8] {
        Array("\(number) ".utf8) + [UInt8](repeating: UInt8(number), count: number % 3 * 700)
    }

    private static func number(_ content: [UInt8]?) -> Int {
        guard let content else { return 0 }
        let number = Int(String(decoding: content.prefix { $0 != 0x20 }, as: UTF8.self)) ?? -1
        return content == Self.content(number) ? number : -1
    }

    @Test("the newest content is found again; a new note has none")
    func replaced() throws {
        let disk = try Self.disk()
        let note = try DurableNote("/n/note", disk: disk)
        #expect(note.content == nil && !note.isDamaged)
        for number in 1...5 {
            try note.replace(with: Self.content(number))
            #expect(Self.number(try DurableNote("/n/note", disk: disk).content) == number)
            #expect(Self.number(try DurableNote.content(at: "/n/note", disk: disk)) == number)
        }
        #expect(try DurableNote.content(at: "/n/other", disk: disk) == nil)
    }

    /// What is wrong after power losses at every operation, seen at the next opening; empty where nothing is.
    private static func harm(ignoring: Set<SyncPoint> = []) throws -> Set<String> {
        var harm: Set<String> = []
        for cut in 0..<200 {
            let disk = try disk()
            disk.ignoredSyncs = ignoring
            let start = disk.operations
            disk.stop(at: start + cut)
            var done = 0
            do {
                let note = try DurableNote("/n/note", disk: disk)
                for number in 1...6 {
                    try note.replace(with: content(number))
                    done = number
                }
            } catch {}
            for seed in 0..<6 {
                for mode in PowerLossMode.allCases {
                    let after = disk.powerLoss(seed: UInt64(seed), mode: mode)
                    let found = number(try DurableNote("/n/note", disk: after).content)
                    if found != done, found != done + 1 {
                        harm.insert("cut \(cut): \(done) was durable, \(found) found")
                    }
                }
            }
            if !disk.isStopped { return harm }
        }
        return harm
    }

    @Test("after a power loss it is the last that was answered, or the one that was being written")
    func powerLoss() throws { #expect(try Self.harm().isEmpty) }

    @Test("with one of its syncs left out, a power loss does harm", arguments: [SyncPoint.note, .noteDirectory])
    func syncs(point: SyncPoint) throws { #expect(try !Self.harm(ignoring: [point]).isEmpty) }

    @Test("a flipped bit anywhere gives the content before, or that there was one")
    func damage() throws {
        let disk = try Self.disk()
        let note = try DurableNote("/n/note", disk: disk)
        try note.replace(with: Self.content(3))
        try note.replace(with: Self.content(6))
        for bit in 0..<(128 + 2) * 8 {
            let copy = disk.copy()
            copy.flipBit("/n/note.0", bit)
            let found = try DurableNote("/n/note", disk: copy)
            #expect(Self.number(found.content) == 3 && !found.isDamaged)
            copy.flipBit("/n/note.1", bit)
            let lost = try DurableNote("/n/note", disk: copy)
            #expect(lost.content == nil && lost.isDamaged)
        }
    }

    @Test("after a failure nothing more is written")
    func poisoned() throws {
        let disk = try Self.disk()
        let note = try DurableNote("/n/note", disk: disk)
        disk.fail(.sync, at: disk.calls(of: .sync) + 1, with: .inputOutput)
        #expect(throws: StoreError.self) { try note.replace(with: Self.content(1)) }
        let calls = disk.operations
        #expect(throws: StoreError.self) { try note.replace(with: Self.content(2)) }
        #expect(disk.operations == calls)
    }

    @Test("a full disk does not matter")
    func fullDisk() throws {
        let disk = try Self.disk()
        let note = try DurableNote("/n/note", disk: disk)
        disk.freeBytes = 0
        for number in 1...4 { try note.replace(with: Self.content(number)) }
        #expect(Self.number(try DurableNote("/n/note", disk: disk).content) == 4)
    }
}
