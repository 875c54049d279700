import Glibc
import LogEngine

/// What the file system has free.
enum FreeSpace {
    /// A test's own bytes instead.
    @TaskLocal static var fixed: UInt64?

    /// Bytes that an ordinary user may still write beside `path`.
    static func bytes(at path: String) throws(CommandFailure) -> UInt64 {
        if let fixed { return fixed }
        do {
            return try PosixDisk().freeBytes(at: path)
        } catch {
            let reason = String(cString: strerror(error.code))
            throw CommandFailure(.inputOutput, "\(path): cannot ask for the free space: \(reason)")
        }
    }
}
