import Glibc
import LogEngine

/// Why there is no key, and what to do.
public struct KeyFileFault: Error, Equatable, Sendable, CustomStringConvertible {
    public let path: String
    public let message: String

    init(_ path: String, _ message: String, _ code: Int32? = nil) {
        self.path = path
        self.message = code.map { "\(message): \(String(cString: strerror($0)))" } ?? message
    }

    public var description: String { "\(path): \(message)" }
}

/// The file that holds the key of a store. It lies outside of the data directory unless the operator says
/// otherwise: whoever copies the data does not have the key with it.
public struct KeyFile: Sendable {
    public let path: String

    public init(_ path: String) { self.path = path }

    /// Where the key of a data directory lies by default: beside it.
    public static func standard(data: String) -> KeyFile {
        var directory = data[...]
        while directory.count > 1, directory.last == "/" { directory.removeLast() }
        return KeyFile("\(directory).key")
    }

    /// Whether it lies in `directory`, links resolved: then its backups hold both.
    public func isInside(_ directory: String) -> Bool {
        guard let parent = Self.resolved(self.parent), let directory = Self.resolved(directory) else { return false }
        return parent == directory || parent.hasPrefix(directory == "/" ? "/" : directory + "/")
    }

    private static func resolved(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    private var parent: String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Reads the key. Where there is no file and `makes`, makes one of mode 0600, durably, from `random`.
    ///
    /// Fails where there is none and none is to be made, where the file is not 32 bytes, and where others than
    /// its owner may read it.
    public func key(makes: Bool, random: () -> UInt64) throws(KeyFileFault) -> StoreKey {
        if let bytes = try read() { return StoreKey(bytes) }
        guard makes else {
            throw KeyFileFault(path, "the key of this store is missing; without it no user can be found")
        }
        try make(random)
        guard let bytes = try read() else { throw KeyFileFault(path, "cannot be read", ENOENT) }
        return StoreKey(bytes)
    }

    private func read() throws(KeyFileFault) -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            guard errno == ENOENT else { throw KeyFileFault(path, "cannot be opened", errno) }
            return nil
        }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw KeyFileFault(path, "cannot be read", errno) }
        // One of root may be read by its group where this process is not root's: so systemd hands over credentials.
        let others: mode_t = status.st_uid == 0 && geteuid() != 0 ? 0o037 : 0o077
        guard status.st_mode & others == 0 else {
            throw KeyFileFault(path, "others than its owner may read this key; make its mode 0600")
        }
        var bytes = [UInt8](repeating: 0, count: StoreKey.byteCount + 1)
        let count = Glibc.read(file, &bytes, bytes.count)
        guard count >= 0 else { throw KeyFileFault(path, "cannot be read", errno) }
        guard count == StoreKey.byteCount else {
            throw KeyFileFault(path, "a key is a file of \(StoreKey.byteCount) bytes")
        }
        return Array(bytes.prefix(count))
    }

    private func make(_ random: () -> UInt64) throws(KeyFileFault) {
        var bytes: [UInt8] = []
        while bytes.count < StoreKey.byteCount { withUnsafeBytes(of: random()) { bytes += $0 } }
        do throws(SystemFault) { try PosixDisk().makeOnce(path, bytes) } catch {
            throw KeyFileFault(path, "cannot be made", error.code)
        }
    }
}
