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
}
