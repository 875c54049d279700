import Glibc
import LogEngine
import TestSupport
import Testing

private let path = "/d/file"

/// A disk with the directory `/d`, durable.
private func diskWithDirectory() throws -> VirtualDisk {
    let disk = VirtualDisk()
    try disk.makeDirectory("/d")
    try disk.syncDirectory("/", .storeDirectory)
    return disk
}

private func write(_ text: String, to file: any DiskFile, at offset: UInt64 = 0) throws -> Int {
    var text = text
    return try text.withUTF8 { try file.write([UnsafeRawBufferPointer($0)], at: offset) }
}

private func writeWhole(_ text: String, to path: String, on disk: VirtualDisk) throws {
    let file = try disk.open(path, .create)
    _ = try write(text, to: file)
    file.close()
}

private func syncFile(_ path: String, on disk: VirtualDisk) throws {
    let file = try disk.open(path, .update)
    try file.sync(.commit)
    file.close()
}

private func read(_ file: any DiskFile, upTo count: Int = 100, at offset: UInt64 = 0) throws -> String {
    var bytes = [UInt8](repeating: 0, count: count)
    let there = try bytes.withUnsafeMutableBytes { try file.read(into: $0, at: offset) }
    return String(decoding: bytes[..<there], as: UTF8.self)
}

private func text(_ path: String, on disk: VirtualDisk) -> String? {
    disk.contents(path).map { String(decoding: $0, as: UTF8.self) }
}

@Suite("The virtual disk: what survives")
struct VirtualDiskPowerLossTests {
    @Test("a synced file under a synced name survives, whatever the mode", arguments: PowerLossMode.allCases)
    func syncedSurvives(mode: PowerLossMode) throws {
        let disk = try diskWithDirectory()
        try writeWhole("hello", to: path, on: disk)
        try syncFile(path, on: disk)
        try disk.syncDirectory("/d", .segmentDirectory)
        #expect(text(path, on: disk.powerLoss(seed: 1, mode: mode)) == "hello")
    }

    @Test("a file whose name was not synced is gone, synced content or not")
    func unsyncedNameVanishes() throws {
        let disk = try diskWithDirectory()
        try writeWhole("hello", to: path, on: disk)
        try syncFile(path, on: disk)
        #expect(disk.powerLoss(seed: 1, mode: .dropAll).paths.isEmpty)
        #expect(text(path, on: disk.powerLoss(seed: 1, mode: .keepAll)) == "hello")
    }

    @Test("a synced name without a sync of the content is an empty file")
    func unsyncedContentIsEmpty() throws {
        let disk = try diskWithDirectory()
        try writeWhole("hello", to: path, on: disk)
        try disk.syncDirectory("/d", .segmentDirectory)
        #expect(text(path, on: disk.powerLoss(seed: 1, mode: .dropAll)) == "")
    }

    @Test("a directory whose own name was not synced vanishes with everything in it")
    func unsyncedDirectoryVanishes() throws {
        let disk = VirtualDisk()
        try disk.makeDirectory("/d")
        try writeWhole("hello", to: path, on: disk)
        try syncFile(path, on: disk)
        try disk.syncDirectory("/d", .segmentDirectory)
        let after = disk.powerLoss(seed: 1, mode: .dropAll)
        #expect(after.paths.isEmpty)
        #expect(throws: SystemFault(ENOENT)) { try after.list("/d") }
    }

    @Test("an unsynced rename is done or undone as a whole; undone, the old target is back")
    func renameIsAtomic() throws {
        let disk = try diskWithDirectory()
        try disk.makeDirectory("/tmp")
        try disk.syncDirectory("/", .storeDirectory)
        for (name, content) in [(path, "old"), ("/tmp/file", "new")] {
            try writeWhole(content, to: name, on: disk)
            try syncFile(name, on: disk)
        }
        try disk.syncDirectory("/d", .segmentDirectory)
        try disk.syncDirectory("/tmp", .segmentDirectory)
        try disk.rename("/tmp/file", to: path)
        #expect(disk.paths == [path])
        #expect(text(path, on: disk) == "new")

        let undone = disk.powerLoss(seed: 1, mode: .dropAll)
        #expect(text(path, on: undone) == "old")
        #expect(text("/tmp/file", on: undone) == "new")

        try disk.syncDirectory("/d", .segmentDirectory)
        let done = disk.powerLoss(seed: 1, mode: .dropAll)
        #expect(done.paths == [path])
        #expect(text(path, on: done) == "new")
    }

    @Test("a removed file is back where its directory was not synced")
    func unsyncedRemoveIsUndone() throws {
        let disk = try diskWithDirectory()
        disk.replace(path, Array("hello".utf8))
        try disk.remove(path)
        #expect(disk.paths.isEmpty)
        #expect(text(path, on: disk.powerLoss(seed: 1, mode: .dropAll)) == "hello")
        try disk.syncDirectory("/d", .segmentDirectory)
        #expect(disk.powerLoss(seed: 1, mode: .dropAll).paths.isEmpty)
    }

    @Test("among the random losses of one write: none of it, all of it, sectors out of order, a hole, pieces")
    func randomLossesTear() throws {
        let disk = try diskWithDirectory()
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
        let disk = try diskWithDirectory()
        disk.replace(path, [])
        let file = try disk.open(path, .update)
        for index in 0..<2 { _ = try write("\(index)", to: file, at: UInt64(index)) }
        try writeWhole("", to: "/d/first", on: disk)
        try writeWhole("", to: "/d/second", on: disk)
        let outcomes = (0..<200).map { disk.powerLoss(seed: $0, mode: .random) }
        #expect(Set(outcomes.map { text(path, on: $0) }).isSuperset(of: ["", "0", "01", "\u{0}1"]))
        #expect(outcomes.contains { $0.paths == [path, "/d/second"] })
    }

    @Test("the same seed loses the same")
    func lossesAreSeeded() throws {
        let disk = try diskWithDirectory()
        for index in 0..<20 { try writeWhole("hello \(index)", to: "/d/\(index)", on: disk) }
        let outcomes = (0..<2).map { _ in disk.powerLoss(seed: 7, mode: .random) }
        #expect(outcomes[0].paths == outcomes[1].paths)
        let contents = outcomes.map { disk in disk.paths.map { disk.contents($0) } }
        #expect(contents[0] == contents[1])
    }
}

@Suite("The virtual disk: processes and faults")
struct VirtualDiskFaultTests {
    @Test("what is planned outlives a process, until it is cleared")
    func planOutlivesProcess() throws {
        let disk = try diskWithDirectory()
        disk.stop(at: disk.operations + 1)
        #expect(throws: SystemFault(EIO)) { try disk.makeDirectory("/e") }
        #expect(disk.isStopped)
        let next = disk.processCrash()
        #expect(throws: SystemFault(EIO)) { try next.makeDirectory("/e") }
        next.clearFaults()
        try next.makeDirectory("/e")
    }

    @Test("a crashed process loses its files and locks; what was not synced stays visible and unsynced")
    func processCrash() throws {
        let before = try diskWithDirectory()
        try writeWhole("hello", to: path, on: before)
        let file = try before.open(path, .update)
        let lock = try before.lock("/d/LOCK")
        #expect(throws: SystemFault(EWOULDBLOCK)) { try before.lock("/d/LOCK") }

        let after = before.processCrash()
        #expect(throws: SystemFault(EBADF)) { try write("x", to: file) }
        #expect(throws: SystemFault(EBADF)) { try read(file) }
        #expect(throws: SystemFault(EBADF)) { try before.list("/d") }
        let next = try after.lock("/d/LOCK")
        lock.close()
        #expect(throws: SystemFault(EWOULDBLOCK)) { try after.lock("/d/LOCK") }
        next.close()
        _ = try after.lock("/d/LOCK")
        #expect(text(path, on: after) == "hello")
        #expect(after.powerLoss(seed: 1, mode: .dropAll).paths.isEmpty)
    }

    @Test("bytes of a failed sync stay visible and never become durable; later ones do")
    func failedSyncLosesItsBytes() throws {
        let disk = try diskWithDirectory()
        disk.replace(path, [])
        let file = try disk.open(path, .update)
        disk.fail(.sync, at: 1, with: .inputOutput)
        _ = try write("lost", to: file)
        #expect(throws: SystemFault(EIO)) { try file.sync(.commit) }
        _ = try write("kept", to: file, at: 4)
        try file.sync(.commit)
        #expect(text(path, on: disk) == "lostkept")
        for mode in PowerLossMode.allCases {
            #expect(text(path, on: disk.processCrash().powerLoss(seed: 1, mode: mode)) == "\0\0\0\0kept")
        }
    }

    @Test("an ignored sync returns and does nothing, on a file and on a directory")
    func ignoredSync() throws {
        let disk = try diskWithDirectory()
        disk.ignoredSyncs = [.commit, .segmentDirectory]
        disk.replace(path, [])
        let file = try disk.open(path, .update)
        _ = try write("hello", to: file)
        try file.sync(.commit)
        try writeWhole("", to: "/d/other", on: disk)
        try disk.syncDirectory("/d", .segmentDirectory)
        let after = disk.powerLoss(seed: 1, mode: .dropAll)
        #expect(after.paths == [path])
        #expect(text(path, on: after) == "")
        try file.sync(.seal)
        #expect(text(path, on: disk.powerLoss(seed: 1, mode: .dropAll)) == "hello")
        #expect(disk.syncs(of: .commit) == 1)
    }

    @Test("from the cut on every call fails and does nothing")
    func stop() throws {
        let disk = try diskWithDirectory()
        disk.replace(path, Array("hello".utf8))
        let file = try disk.open(path, .update)
        disk.stop(at: disk.operations + 2)
        _ = try write("J", to: file)
        #expect(throws: SystemFault(EIO)) { try write("X", to: file) }
        #expect(throws: SystemFault(EIO)) { try file.sync(.commit) }
        #expect(throws: SystemFault(EIO)) { try read(file) }
        #expect(throws: SystemFault(EIO)) { try disk.makeDirectory("/e") }
        #expect(text(path, on: disk) == "Jello")
        #expect(text(path, on: disk.powerLoss(seed: 1, mode: .keepAll)) == "Jello")
        #expect(text(path, on: disk.powerLoss(seed: 1, mode: .dropAll)) == "hello")
    }

    @Test("the n-th call of a kind fails as planned, the others do not")
    func nthCall() throws {
        let disk = try diskWithDirectory()
        disk.replace(path, Array("hello".utf8))
        let file = try disk.open(path, .update)
        disk.fail(.read, at: 2, with: .interrupted)
        disk.fail(.read, at: 3, with: .short)
        disk.fail(.write, at: 1, with: .short)
        disk.fail(.write, at: 2, with: .noSpace)
        disk.fail(.length, at: 1, with: .inputOutput)
        #expect(try read(file) == "hello")
        #expect(throws: SystemFault(EINTR)) { try read(file) }
        #expect(try read(file) == "hel")
        #expect(try read(file) == "hello")
        #expect(try write("JUMP", to: file) == 2)
        #expect(throws: SystemFault(ENOSPC)) { try write("MP", to: file, at: 2) }
        #expect(text(path, on: disk) == "JUllo")
        #expect(throws: SystemFault(EIO)) { try file.length() }
        #expect(try file.length() == 5)
        #expect(disk.faultsStruck == 5)
    }

    @Test("a full disk takes what fits, then nothing; rewriting in place goes on")
    func fullDisk() throws {
        let disk = try diskWithDirectory()
        disk.freeBytes = 3
        let file = try disk.open(path, .create)
        #expect(try write("hello", to: file) == 3)
        #expect(throws: SystemFault(ENOSPC)) { try write("lo", to: file, at: 3) }
        #expect(try write("HEL", to: file) == 3)
        disk.freeBytes = 10
        #expect(try write("lo", to: file, at: 3) == 2)
        #expect(try disk.freeBytes(at: "/d") == 8)
    }

    @Test("operations and reads are counted apart, and the history names them")
    func counting() throws {
        let disk = try diskWithDirectory()
        try writeWhole("hello", to: path, on: disk)
        #expect(disk.operations == 4)
        _ = try disk.length(of: path)
        #expect((disk.operations, disk.reads) == (4, 1))
        #expect(disk.history(last: 2) == "4 write /d/file @0 +5\n- length /d/file")
    }

    @Test("files that are not there, not files, or closed are refused as by a real disk")
    func refusals() throws {
        let disk = try diskWithDirectory()
        #expect(throws: SystemFault(ENOENT)) { try disk.open(path, .update) }
        #expect(throws: SystemFault(ENOENT)) { try disk.open("/no/file", .create) }
        #expect(throws: SystemFault(EISDIR)) { try disk.open("/d", .read) }
        #expect(throws: SystemFault(ENOENT)) { try disk.rename(path, to: "/d/other") }
        #expect(try disk.length(of: path) == nil)
        let file = try disk.open(path, .create)
        file.close()
        #expect(throws: SystemFault(EBADF)) { try file.sync(.commit) }
        let reader = try disk.open(path, .read)
        #expect(throws: SystemFault(EBADF)) { try write("x", to: reader) }
    }

    @Test("a copy knows what was not synced, and goes its own way")
    func copying() throws {
        let disk = try diskWithDirectory()
        try writeWhole("hello", to: path, on: disk)
        let copy = disk.copy()
        #expect(text(path, on: copy) == "hello")
        #expect(copy.powerLoss(seed: 1, mode: .dropAll).paths.isEmpty)
        #expect(copy.operations == 0)
        try copy.remove(path)
        #expect(disk.paths == [path])
    }

    @Test("a flipped bit is one bit, durable")
    func flippedBit() throws {
        let disk = try diskWithDirectory()
        disk.replace(path, [0, 0])
        disk.flipBit(path, 9)
        #expect(disk.contents(path) == [0, 2])
        #expect(disk.powerLoss(seed: 1, mode: .dropAll).contents(path) == [0, 2])
    }
}
