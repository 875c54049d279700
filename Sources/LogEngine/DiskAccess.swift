import Glibc
import SegmentFormat

// Whole operations on the disk: interrupted calls are made again, short ones go on, and a failure
// says what was tried on which file.

/// Makes system calls until they are not interrupted; other failures become a `StoreError`.
func attempt<Result>(
    _ operation: String, _ path: String, _ call: () throws(SystemFault) -> Result
) throws(StoreError) -> Result {
    while true {
        do {
            return try call()
        } catch {
            guard error.code == EINTR else { throw .disk(error, operation, path) }
        }
    }
}

/// A file and the name that errors give it.
final class StoreFile: Sendable {
    let path: String
    private let file: any DiskFile

    /// `name` is what errors call it, where that is not `path`: a file made in `tmp/` is known by the
    /// name that it will have.
    init(_ disk: any Disk, _ path: String, _ mode: OpenMode, name: String? = nil) throws(StoreError) {
        self.path = name ?? path
        file = try attempt("open", path) { () throws(SystemFault) in try disk.open(path, mode) }
    }

    /// The file for reading, or `nil` where there is none.
    static func openIfThere(_ disk: any Disk, _ path: String) throws(StoreError) -> StoreFile? {
        do throws(StoreError) {
            return try StoreFile(disk, path, .read)
        } catch {
            guard error.systemCode == ENOENT else { throw error }
            return nil
        }
    }

    deinit { file.close() }

    /// Fills `buffer`, or as much of it as the file has; returns the bytes read.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(StoreError) -> Int {
        var done = 0
        while done < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            let count = try attempt("read", path) { () throws(SystemFault) in
                try file.read(into: rest, at: offset + UInt64(done))
            }
            guard count > 0 else { break }
            done += count
        }
        return done
    }

    func read(_ count: Int, at offset: UInt64) throws(StoreError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var failure: StoreError?
        var done = 0
        bytes.withUnsafeMutableBytes { buffer in
            do throws(StoreError) { done = try read(into: buffer, at: offset) } catch { failure = error }
        }
        if let failure { throw failure }
        bytes.removeLast(count - done)
        return bytes
    }

    /// Writes all pieces one behind the other.
    func write(_ pieces: [UnsafeRawBufferPointer], at offset: UInt64) throws(StoreError) {
        var rest = pieces[...].drop { $0.isEmpty }
        var position = offset
        while !rest.isEmpty {
            var written = try attempt("write", path) { () throws(SystemFault) in
                try file.write(Array(rest.prefix(1_024)), at: position)
            }
            position += UInt64(written)
            while let first = rest.first, written >= first.count {
                written -= first.count
                rest.removeFirst()
            }
            if written > 0, let first = rest.first {
                rest[rest.startIndex] = UnsafeRawBufferPointer(rebasing: first[written...])
            }
        }
    }

    func write(_ bytes: [UInt8], at offset: UInt64) throws(StoreError) {
        var failure: StoreError?
        bytes.withUnsafeBytes { buffer in
            do throws(StoreError) { try write([buffer], at: offset) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    /// Never made twice for the same bytes: after a failed sync nobody knows what is on disk.
    func sync(_ point: SyncPoint) throws(StoreError) {
        do {
            try file.sync(point)
        } catch {
            throw .failedSync(error, path)
        }
    }

    func truncate(to length: UInt64) throws(StoreError) {
        try attempt("truncate", path) { () throws(SystemFault) in try file.truncate(to: length) }
    }

    func length() throws(StoreError) -> UInt64 {
        try attempt("stat", path) { () throws(SystemFault) in try file.length() }
    }

    func setModificationTime(_ milliseconds: UInt64) throws(StoreError) {
        try attempt("set the time of", path) { () throws(SystemFault) in try file.setModificationTime(milliseconds) }
    }
}

extension Disk {
    func makeDirectories(_ paths: [String]) throws(StoreError) {
        for path in paths {
            try attempt("make", path) { () throws(SystemFault) in try makeDirectory(path) }
        }
    }

    func names(in directory: String) throws(StoreError) -> [String] {
        try attempt("list", directory) { () throws(SystemFault) in try list(directory) }
    }

    func fileLength(_ path: String) throws(StoreError) -> UInt64? {
        try attempt("stat", path) { () throws(SystemFault) in try length(of: path) }
    }

    func allocatedLength(_ path: String) throws(StoreError) -> UInt64? {
        try attempt("stat", path) { () throws(SystemFault) in try allocatedBytes(of: path) }
    }

    func allocateFile(_ path: String, bytes: UInt64) throws(StoreError) {
        try attempt("allocate", path) { () throws(SystemFault) in try allocate(path, bytes: bytes) }
    }

    func freeSpace(at path: String) throws(StoreError) -> UInt64 {
        try attempt("ask for the free space of", path) { () throws(SystemFault) in try freeBytes(at: path) }
    }

    func moveFile(_ path: String, to newPath: String) throws(StoreError) {
        try attempt("rename", path) { () throws(SystemFault) in try rename(path, to: newPath) }
    }

    func removeFile(_ path: String) throws(StoreError) {
        try attempt("remove", path) { () throws(SystemFault) in try remove(path) }
    }

    func removeEmptyDirectory(_ path: String) throws(StoreError) {
        try attempt("remove", path) { () throws(SystemFault) in try removeDirectory(path) }
    }

    func syncNames(of directory: String, _ point: SyncPoint) throws(StoreError) {
        do {
            try syncDirectory(directory, point)
        } catch {
            throw .failedSync(error, directory)
        }
    }
}
