import Glibc
import LogEngine
import TestSupport
import Testing

private let path = DiskUse.path

@Suite("The virtual disk: processes and faults")
struct VirtualDiskFaultTests {
    @Test("what is planned outlives a process, until it is cleared")
    func planOutlivesProcess() throws {
        let disk = try DiskUse.diskWithDirectory()
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
        let before = try DiskUse.diskWithDirectory()
        try DiskUse.writeWhole("hello", to: path, on: before)
        let file = try before.open(path, .update)
        let lock = try before.lock("/d/LOCK")
        #expect(throws: SystemFault(EWOULDBLOCK)) { try before.lock("/d/LOCK") }

        let after = before.processCrash()
        #expect(throws: SystemFault(EBADF)) { try DiskUse.write("x", to: file) }
        #expect(throws: SystemFault(EBADF)) { try DiskUse.read(file) }
        #expect(throws: SystemFault(EBADF)) { try before.list("/d") }
        let next = try after.lock("/d/LOCK")
        lock.close()
        #expect(throws: SystemFault(EWOULDBLOCK)) { try after.lock("/d/LOCK") }
        next.close()
        _ = try after.lock("/d/LOCK")
        #expect(DiskUse.text(path, on: after) == "hello")
        #expect(after.powerLoss(seed: 1, mode: .dropAll).paths.isEmpty)
    }

    @Test("bytes of a failed sync stay visible and never become durable; later ones do")
    func failedSyncLosesItsBytes() throws {
        let disk = try DiskUse.diskWithDirectory()
        disk.replace(path, [])
        let file = try disk.open(path, .update)
        disk.fail(.sync, at: 1, with: .inputOutput)
        _ = try DiskUse.write("lost", to: file)
        #expect(throws: SystemFault(EIO)) { try file.sync(.commit) }
        _ = try DiskUse.write("kept", to: file, at: 4)
        try file.sync(.commit)
        #expect(DiskUse.text(path, on: disk) == "lostkept")
        for mode in PowerLossMode.allCases {
            #expect(DiskUse.text(path, on: disk.processCrash().powerLoss(seed: 1, mode: mode)) == "\0\0\0\0kept")
        }
    }

    @Test("an ignored sync returns and does nothing, on a file and on a directory")
    func ignoredSync() throws {
        let disk = try DiskUse.diskWithDirectory()
        disk.ignoredSyncs = [.commit, .segmentDirectory]
        disk.replace(path, [])
        let file = try disk.open(path, .update)
        _ = try DiskUse.write("hello", to: file)
        try file.sync(.commit)
        try DiskUse.writeWhole("", to: "/d/other", on: disk)
        try disk.syncDirectory("/d", .segmentDirectory)
        let after = disk.powerLoss(seed: 1, mode: .dropAll)
        #expect(after.paths == [path])
        #expect(DiskUse.text(path, on: after) == "")
        try file.sync(.seal)
        #expect(DiskUse.text(path, on: disk.powerLoss(seed: 1, mode: .dropAll)) == "hello")
        #expect(disk.syncs(of: .commit) == 1)
    }

    @Test("from the cut on every call fails and does nothing")
    func stop() throws {
        let disk = try DiskUse.diskWithDirectory()
        disk.replace(path, Array("hello".utf8))
        let file = try disk.open(path, .update)
        disk.stop(at: disk.operations + 2)
        _ = try DiskUse.write("J", to: file)
        #expect(throws: SystemFault(EIO)) { try DiskUse.write("X", to: file) }
        #expect(throws: SystemFault(EIO)) { try file.sync(.commit) }
        #expect(throws: SystemFault(EIO)) { try DiskUse.read(file) }
        #expect(throws: SystemFault(EIO)) { try disk.makeDirectory("/e") }
        #expect(DiskUse.text(path, on: disk) == "Jello")
        #expect(DiskUse.text(path, on: disk.powerLoss(seed: 1, mode: .keepAll)) == "Jello")
        #expect(DiskUse.text(path, on: disk.powerLoss(seed: 1, mode: .dropAll)) == "hello")
    }

    @Test("the n-th call of a kind fails as planned, the others do not")
    func nthCall() throws {
        let disk = try DiskUse.diskWithDirectory()
        disk.replace(path, Array("hello".utf8))
        let file = try disk.open(path, .update)
        disk.fail(.read, at: 2, with: .interrupted)
        disk.fail(.read, at: 3, with: .short)
        disk.fail(.write, at: 1, with: .short)
        disk.fail(.write, at: 2, with: .noSpace)
        disk.fail(.length, at: 1, with: .inputOutput)
        #expect(try DiskUse.read(file) == "hello")
        #expect(throws: SystemFault(EINTR)) { try DiskUse.read(file) }
        #expect(try DiskUse.read(file) == "hel")
        #expect(try DiskUse.read(file) == "hello")
        #expect(try DiskUse.write("JUMP", to: file) == 2)
        #expect(throws: SystemFault(ENOSPC)) { try DiskUse.write("MP", to: file, at: 2) }
        #expect(DiskUse.text(path, on: disk) == "JUllo")
        #expect(throws: SystemFault(EIO)) { try file.length() }
        #expect(try file.length() == 5)
        #expect(disk.faultsStruck == 5)
    }

    @Test("a full disk takes what fits, then nothing; rewriting in place goes on")
    func fullDisk() throws {
        let disk = try DiskUse.diskWithDirectory()
        disk.freeBytes = 3
        let file = try disk.open(path, .create)
        #expect(try DiskUse.write("hello", to: file) == 3)
        #expect(throws: SystemFault(ENOSPC)) { try DiskUse.write("lo", to: file, at: 3) }
        #expect(try DiskUse.write("HEL", to: file) == 3)
        disk.freeBytes = 10
        #expect(try DiskUse.write("lo", to: file, at: 3) == 2)
        #expect(try disk.freeBytes(at: "/d") == 8)
    }

    @Test("what is removed or cut off gives its room back, a removed file that is open once it is closed")
    func roomComesBack() throws {
        let disk = try DiskUse.diskWithDirectory()
        disk.freeBytes = 10
        try DiskUse.writeWhole("hello", to: path, on: disk)
        let file = try disk.open(path, .update)
        try file.truncate(to: 3)
        #expect(disk.freeBytes == 7)
        #expect(throws: SystemFault(ENOSPC)) { try file.truncate(to: 11) }
        try file.truncate(to: 10)
        #expect(disk.freeBytes == 0)
        try disk.remove(path)
        #expect(disk.freeBytes == 0, "still open")
        try DiskUse.writeWhole("", to: path, on: disk)
        #expect(throws: SystemFault(ENOSPC)) { try DiskUse.writeWhole("x", to: path, on: disk) }
        file.close()
        #expect(disk.freeBytes == 10 && disk.capacity == 10)
        let other = try disk.open(path, .create)
        _ = try DiskUse.write("hello", to: other)
        try disk.remove(path)
        #expect(disk.freeBytes == 5)
        #expect(disk.processCrash().freeBytes == 10, "a dead process has nothing open")
    }

    @Test("allocated room is taken at once; what does not fit fails and leaves a part behind")
    func allocation() throws {
        let disk = try DiskUse.diskWithDirectory()
        disk.freeBytes = 9_000
        try disk.allocate(path, bytes: 5_000)
        #expect(disk.freeBytes == 4_000)
        #expect(try disk.length(of: path) == 5_000)
        #expect(try disk.allocatedBytes(of: path) == 8_192)
        #expect(try disk.allocatedBytes(of: "/d/other") == nil)
        #expect(throws: SystemFault(ENOSPC)) { try disk.allocate("/d/other", bytes: 4_001) }
        #expect(disk.freeBytes == 0)
        try disk.remove("/d/other")
        let file = try disk.open(path, .update)
        _ = try DiskUse.write("x", to: file, at: 4_998)
        #expect(try DiskUse.read(file, at: 4_997) == "\0x\0")
        #expect(disk.freeBytes == 4_000)
        try disk.allocate(path, bytes: 9_000)
        #expect(disk.freeBytes == 0)
        #expect(try DiskUse.read(file, upTo: 1, at: 4_998) == "\0")
    }

    @Test("operations and reads are counted apart, and the history names them")
    func counting() throws {
        let disk = try DiskUse.diskWithDirectory()
        try DiskUse.writeWhole("hello", to: path, on: disk)
        #expect(disk.operations == 4)
        _ = try disk.length(of: path)
        #expect((disk.operations, disk.reads) == (4, 1))
        #expect(disk.history(last: 2) == "4 write /d/file @0 +5\n- length /d/file")
    }

    @Test("files that are not there, not files, or closed are refused as by a real disk")
    func refusals() throws {
        let disk = try DiskUse.diskWithDirectory()
        #expect(throws: SystemFault(ENOENT)) { try disk.open(path, .update) }
        #expect(throws: SystemFault(ENOENT)) { try disk.open("/no/file", .create) }
        #expect(throws: SystemFault(EISDIR)) { try disk.open("/d", .read) }
        #expect(throws: SystemFault(ENOENT)) { try disk.rename(path, to: "/d/other") }
        #expect(try disk.length(of: path) == nil)
        let file = try disk.open(path, .create)
        file.close()
        #expect(throws: SystemFault(EBADF)) { try file.sync(.commit) }
        let reader = try disk.open(path, .read)
        #expect(throws: SystemFault(EBADF)) { try DiskUse.write("x", to: reader) }
    }

    @Test("a copy knows what was not synced, and goes its own way")
    func copying() throws {
        let disk = try DiskUse.diskWithDirectory()
        try DiskUse.writeWhole("hello", to: path, on: disk)
        let copy = disk.copy()
        #expect(DiskUse.text(path, on: copy) == "hello")
        #expect(copy.powerLoss(seed: 1, mode: .dropAll).paths.isEmpty)
        #expect(copy.operations == 0)
        try copy.remove(path)
        #expect(disk.paths == [path])
    }

    @Test("a flipped bit is one bit, durable")
    func flippedBit() throws {
        let disk = try DiskUse.diskWithDirectory()
        disk.replace(path, [0, 0])
        disk.flipBit(path, 9)
        #expect(disk.contents(path) == [0, 2])
        #expect(disk.powerLoss(seed: 1, mode: .dropAll).contents(path) == [0, 2])
    }
}
