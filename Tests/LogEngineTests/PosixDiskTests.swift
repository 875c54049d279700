import Glibc
import LogEngine
import TestSupport
import Testing

@Suite("The real disk")
struct PosixDiskTests {
    @Test("room is taken at once, and given back with the file; a directory goes once it is empty")
    func allocation() throws {
        let disk = PosixDisk()
        let parent = try TemporaryDirectory()
        let directory = "\(parent.path)/made"
        let path = "\(directory)/file"
        try disk.makeDirectory(directory)
        #expect(try disk.allocatedBytes(of: path) == nil)
        try disk.allocate(path, bytes: 100_000)
        #expect(try disk.length(of: path) == 100_000)
        #expect(try disk.allocatedBytes(of: path) ?? 0 >= 100_000)
        try disk.allocate(path, bytes: 10)
        #expect(try disk.length(of: path) == 10)
        #expect(throws: SystemFault(EISDIR)) { try disk.allocate(directory, bytes: 10) }
        #expect(throws: SystemFault(ENOTEMPTY)) { try disk.removeDirectory(directory) }
        try disk.remove(path)
        try disk.removeDirectory(directory)
        #expect(throws: SystemFault(ENOENT)) { try disk.list(directory) }
    }

    @Test("a file that is made once keeps its first content, for its owner alone, and nothing else is left")
    func madeOnce() throws {
        let directory = try TemporaryDirectory()
        let (disk, path) = (PosixDisk(), "\(directory.path)/key")
        try disk.makeOnce(path, [1, 2, 3])
        try disk.makeOnce(path, [4])
        #expect(WholeFile.read(path) == [1, 2, 3] && directory.names == ["key"])
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
        #expect(throws: SystemFault(ENOENT)) { try disk.makeOnce("\(directory.path)/none/key", [1]) }
    }

    @Test("a file knows whether it still has its name", arguments: [false, true])
    func names(isVirtual: Bool) throws {
        let directory = try TemporaryDirectory()
        let disk: any Disk = isVirtual ? VirtualDisk() : PosixDisk()
        let path = isVirtual ? "/file" : "\(directory.path)/file"
        let file = try disk.open(path, .create)
        #expect(try file.isNamed(path))
        try disk.rename(path, to: path + "2")
        #expect(try !file.isNamed(path) && file.isNamed(path + "2"))
        try disk.open(path, .create).close()
        #expect(try !file.isNamed(path))
        try disk.remove(path + "2")
        #expect(try !file.isNamed(path + "2"))
        file.close()
    }
}
