import Glibc

// The real file system: every system call of the engine is in this file, one call each.

public final class PosixDisk: Disk {
    public init() {}

    public func open(_ path: String, _ mode: OpenMode) throws(SystemFault) -> any DiskFile {
        let flags =
            switch mode {
            case .read: O_RDONLY
            case .update: O_RDWR
            case .create, .createPrivate: O_RDWR | O_CREAT | O_TRUNC
            }
        let file = PosixFile(
            try check(Glibc.open(path, flags | O_CLOEXEC, mode == .createPrivate ? 0o600 : 0o640)))
        // A file that was there has the mode that it had.
        if mode == .createPrivate, fchmod(file.descriptor, 0o600) != 0 {
            let code = errno
            file.close()
            throw SystemFault(code)
        }
        return file
    }

    public func list(_ directory: String) throws(SystemFault) -> [String] {
        guard let stream = opendir(directory) else { throw SystemFault(errno) }
        defer { closedir(stream) }
        var names: [String] = []
        errno = 0
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        guard errno == 0 else { throw SystemFault(errno) }
        return names
    }

    public func length(of path: String) throws(SystemFault) -> UInt64? {
        var status = stat()
        guard stat(path, &status) == 0 else {
            guard errno == ENOENT else { throw SystemFault(errno) }
            return nil
        }
        return UInt64(status.st_size)
    }

    public func allocatedBytes(of path: String) throws(SystemFault) -> UInt64? {
        var status = stat()
        guard stat(path, &status) == 0 else {
            guard errno == ENOENT else { throw SystemFault(errno) }
            return nil
        }
        return UInt64(status.st_blocks) * 512
    }

    /// Where the file system cannot take room ahead, the C library writes to every block.
    public func allocate(_ path: String, bytes: UInt64) throws(SystemFault) {
        let descriptor = try check(Glibc.open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o640))
        defer { _ = Glibc.close(descriptor) }
        let code = posix_fallocate(descriptor, 0, off_t(bytes))
        guard code == 0 else { throw SystemFault(code) }
    }

    public func makeDirectory(_ path: String) throws(SystemFault) {
        guard mkdir(path, 0o750) == 0 || errno == EEXIST else { throw SystemFault(errno) }
    }

    public func removeDirectory(_ path: String) throws(SystemFault) {
        try check(rmdir(path))
    }

    public func rename(_ path: String, to newPath: String) throws(SystemFault) {
        try check(Glibc.rename(path, newPath))
    }

    public func remove(_ path: String) throws(SystemFault) {
        try check(unlink(path))
    }

    public func syncDirectory(_ path: String, _ point: SyncPoint) throws(SystemFault) {
        let descriptor = try check(Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC))
        defer { _ = Glibc.close(descriptor) }
        try check(fsync(descriptor))
    }

    /// Makes a file that is never replaced, for its owner alone, durably. Of those who make it the first wins, and
    /// whoever finds it finds it whole.
    public func makeOnce(_ path: String, _ content: [UInt8]) throws(SystemFault) {
        let temporary = "\(path).\(UInt64.random(in: 0 ... .max)).new"
        let descriptor = try check(Glibc.open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600))
        defer {
            _ = Glibc.close(descriptor)
            unlink(temporary)
        }
        let written = Glibc.write(descriptor, content, content.count)
        guard written == content.count else { throw SystemFault(written < 0 ? errno : ENOSPC) }
        try check(fsync(descriptor))
        guard link(temporary, path) == 0 || errno == EEXIST else { throw SystemFault(errno) }
        let parent = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        try syncDirectory(parent, .privateDirectory)
    }

    public func freeBytes(at path: String) throws(SystemFault) -> UInt64 {
        var status = statvfs()
        try check(statvfs(path, &status))
        return UInt64(status.f_bavail) * UInt64(status.f_frsize)
    }

    public func lock(_ path: String) throws(SystemFault) -> any DiskFile {
        let file = PosixFile(try check(Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o640)))
        guard flock(file.descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            file.close()
            throw SystemFault(code)
        }
        return file
    }
}

@discardableResult
private func check(_ result: Int32) throws(SystemFault) -> Int32 {
    guard result >= 0 else { throw SystemFault(errno) }
    return result
}

private final class PosixFile: DiskFile {
    let descriptor: Int32

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(SystemFault) -> Int {
        let count = pread(descriptor, buffer.baseAddress, buffer.count, off_t(offset))
        guard count >= 0 else { throw SystemFault(errno) }
        return count
    }

    func write(_ pieces: [UnsafeRawBufferPointer], at offset: UInt64) throws(SystemFault) -> Int {
        let count = withUnsafeTemporaryAllocation(of: iovec.self, capacity: pieces.count) { vectors in
            for (index, piece) in pieces.enumerated() {
                let base = UnsafeMutableRawPointer(mutating: piece.baseAddress)
                vectors.initializeElement(at: index, to: iovec(iov_base: base, iov_len: piece.count))
            }
            return pwritev(descriptor, vectors.baseAddress, Int32(pieces.count), off_t(offset))
        }
        guard count >= 0 else { throw SystemFault(errno) }
        return count
    }

    func sync(_ point: SyncPoint) throws(SystemFault) {
        try check(fdatasync(descriptor))
    }

    func truncate(to length: UInt64) throws(SystemFault) {
        try check(ftruncate(descriptor, off_t(length)))
    }

    func length() throws(SystemFault) -> UInt64 {
        var status = stat()
        try check(fstat(descriptor, &status))
        return UInt64(status.st_size)
    }

    func isNamed(_ path: String) throws(SystemFault) -> Bool {
        var (its, named) = (stat(), stat())
        try check(fstat(descriptor, &its))
        guard stat(path, &named) == 0 else {
            guard errno == ENOENT else { throw SystemFault(errno) }
            return false
        }
        return its.st_ino == named.st_ino && its.st_dev == named.st_dev
    }

    func setModificationTime(_ milliseconds: UInt64) throws(SystemFault) {
        let time = timespec(tv_sec: Int(milliseconds / 1_000), tv_nsec: Int(milliseconds % 1_000) * 1_000_000)
        try check(
            withUnsafePointer(to: (time, time)) {
                $0.withMemoryRebound(to: timespec.self, capacity: 2) { futimens(descriptor, $0) }
            })
    }

    func close() {
        _ = Glibc.close(descriptor)
    }
}
