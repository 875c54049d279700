import Glibc
import LogEngine
import TestSupport
import Testing

private let path = DiskUse.path

@Suite("The virtual disk: what survives")
struct VirtualDiskPowerLossTests {
    @Test("a synced file under a synced name survives, whatever the mode", arguments: PowerLossMode.allCases)
    func syncedSurvives(mode: PowerLossMode) throws {
        let disk = try DiskUse.diskWithDirectory()
        try DiskUse.writeWhole("hello", to: path, on: disk)
        try DiskUse.syncFile(path, on: disk)
        try disk.syncDirectory("/d", .segmentDirectory)
        #expect(DiskUse.text(path, on: disk.powerLoss(seed: 1, mode: mode)) == "hello")
    }

    @Test("a file whose name was not synced is gone, synced content or not")
    func unsyncedNameVanishes() throws {
        let disk = try DiskUse.diskWithDirectory()
        try DiskUse.writeWhole("hello", to: path, on: disk)
        try DiskUse.syncFile(path, on: disk)
        #expect(disk.powerLoss(seed: 1, mode: .dropAll).paths.isEmpty)
        #expect(DiskUse.text(path, on: disk.powerLoss(seed: 1, mode: .keepAll)) == "hello")
    }

    @Test("a synced name without a sync of the content is an empty file")
    func unsyncedContentIsEmpty() throws {
        let disk = try DiskUse.diskWithDirectory()
        try DiskUse.writeWhole("hello", to: path, on: disk)
        try disk.syncDirectory("/d", .segmentDirectory)
        #expect(DiskUse.text(path, on: disk.powerLoss(seed: 1, mode: .dropAll)) == "")
    }

    @Test("a directory whose own name was not synced vanishes with everything in it")
    func unsyncedDirectoryVanishes() throws {
        let disk = VirtualDisk()
        try disk.makeDirectory("/d")
        try DiskUse.writeWhole("hello", to: path, on: disk)
        try DiskUse.syncFile(path, on: disk)
        try disk.syncDirectory("/d", .segmentDirectory)
        let after = disk.powerLoss(seed: 1, mode: .dropAll)
        #expect(after.paths.isEmpty)
        #expect(throws: SystemFault(ENOENT)) { try after.list("/d") }
    }

    @Test("an unsynced rename is done or undone as a whole; undone, the old target is back")
    func renameIsAtomic() throws {
        let disk = try DiskUse.diskWithDirectory()
        try disk.makeDirectory("/tmp")
        try disk.syncDirectory("/", .storeDirectory)
        for (name, content) in [(path, "old"), ("/tmp/file", "new")] {
            try DiskUse.writeWhole(content, to: name, on: disk)
            try DiskUse.syncFile(name, on: disk)
        }
        try disk.syncDirectory("/d", .segmentDirectory)
        try disk.syncDirectory("/tmp", .segmentDirectory)
        try disk.rename("/tmp/file", to: path)
        #expect(disk.paths == [path])
        #expect(DiskUse.text(path, on: disk) == "new")

        let undone = disk.powerLoss(seed: 1, mode: .dropAll)
        #expect(DiskUse.text(path, on: undone) == "old")
        #expect(DiskUse.text("/tmp/file", on: undone) == "new")

        try disk.syncDirectory("/d", .segmentDirectory)
        let done = disk.powerLoss(seed: 1, mode: .dropAll)
        #expect(done.paths == [path])
        #expect(DiskUse.text(path, on: done) == "new")
    }

    @Test("a removed file is back where its directory was not synced")
    func unsyncedRemoveIsUndone() throws {
        let disk = try DiskUse.diskWithDirectory()
        disk.replace(path, Array("hello".utf8))
        try disk.remove(path)
        #expect(disk.paths.isEmpty)
        #expect(DiskUse.text(path, on: disk.powerLoss(seed: 1, mode: .dropAll)) == "hello")
        try disk.syncDirectory("/d", .segmentDirectory)
        #expect(disk.powerLoss(seed: 1, mode: .dropAll).paths.isEmpty)
    }

    @Test("a removed directory is back where its parent was not synced; one that is not empty stays")
    func unsyncedRemoveDirectoryIsUndone() throws {
        let disk = try DiskUse.diskWithDirectory()
        disk.replace(path, Array("hello".utf8))
        #expect(throws: SystemFault(ENOTEMPTY)) { try disk.removeDirectory("/d") }
        try disk.remove(path)
        try disk.removeDirectory("/d")
        #expect(throws: SystemFault(ENOENT)) { try disk.list("/d") }
        #expect(DiskUse.text(path, on: disk.powerLoss(seed: 1, mode: .dropAll)) == "hello")
        try disk.syncDirectory("/", .storeDirectory)
        let after = disk.powerLoss(seed: 1, mode: .dropAll)
        #expect(throws: SystemFault(ENOENT)) { try after.list("/d") }
    }

    @Test("allocated room that was not synced may be gone, a removed file takes its room again")
    func unsyncedAllocation() throws {
        let disk = try DiskUse.diskWithDirectory()
        disk.replace(path, [])
        disk.freeBytes = 5_000
        try disk.allocate(path, bytes: 5_000)
        #expect(disk.powerLoss(seed: 1, mode: .dropAll).freeBytes == 5_000)
        #expect(disk.powerLoss(seed: 1, mode: .keepAll).freeBytes == 0)
        try DiskUse.syncFile(path, on: disk)
        try disk.remove(path)
        try disk.allocate("/d/other", bytes: 5_000)
        #expect(disk.powerLoss(seed: 1, mode: .keepAll).paths == ["/d/other"])
        let undone = disk.powerLoss(seed: 1, mode: .dropAll)
        #expect(undone.paths == [path] && undone.freeBytes == 0)
    }

    @Test("among the random losses of one write: none of it, all of it, sectors out of order, a hole, pieces")
    func randomLossesTear() throws {
        let disk = try DiskUse.diskWithDirectory()
        disk.replace(path, [])
        let file = try disk.open(path, .update)
        let (a, b) = ([UInt8](repeating: 1, count: 700), [UInt8](repeating: 2, count: 700))
        let written = try a.withUnsafeBytes { first in
            try b.withUnsafeBytes { try file.write([first, $0], at: 0) }
        }
        #expect(written == 1_400)

        let outcomes = Set((0..<200).map { disk.powerLoss(seed: $0, mode: .random).contents(path) ?? [9] })
        #expect(outcomes.contains([]))
        #expect(outcomes.contains(a + b))
        #expect(outcomes.contains([UInt8](repeating: 0, count: 1_400)), "the length without the bytes")
        #expect(outcomes.contains([UInt8](repeating: 0, count: 700) + b), "the second piece only")
        #expect(outcomes.contains { $0.count == 1_024 && $0[0] == 0 && $0[512] == 1 && $0[1_023] == 2 })
        #expect(outcomes.contains(Array(a[..<512])), "the first sector only")
    }

    @Test("random losses keep no order among writes and names")
    func randomLossesReorder() throws {
        let disk = try DiskUse.diskWithDirectory()
        disk.replace(path, [])
        let file = try disk.open(path, .update)
        for index in 0..<2 { _ = try DiskUse.write("\(index)", to: file, at: UInt64(index)) }
        try DiskUse.writeWhole("", to: "/d/first", on: disk)
        try DiskUse.writeWhole("", to: "/d/second", on: disk)
        let outcomes = (0..<200).map { disk.powerLoss(seed: $0, mode: .random) }
        #expect(Set(outcomes.map { DiskUse.text(path, on: $0) }).isSuperset(of: ["", "0", "01", "\u{0}1"]))
        #expect(outcomes.contains { $0.paths == [path, "/d/second"] })
    }

    @Test("the same seed loses the same")
    func lossesAreSeeded() throws {
        let disk = try DiskUse.diskWithDirectory()
        for index in 0..<20 { try DiskUse.writeWhole("hello \(index)", to: "/d/\(index)", on: disk) }
        let outcomes = (0..<2).map { _ in disk.powerLoss(seed: 7, mode: .random) }
        #expect(outcomes[0].paths == outcomes[1].paths)
        let contents = outcomes.map { disk in disk.paths.map { disk.contents($0) } }
        #expect(contents[0] == contents[1])
    }
}
