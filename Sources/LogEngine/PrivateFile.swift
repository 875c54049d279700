import Glibc
import SegmentFormat

/// A small file beside the streams that its owner alone may read and that is replaced whole: who reads it, and whoever
/// comes after a crash, finds the old content or the new.
public struct PrivateFile: Sendable {
    public let path: String
    private let disk: any Disk

    public init(_ path: String, _ disk: any Disk) {
        self.path = path
        self.disk = disk
    }

    private var directory: String { Layout.directory(of: path) }
    private var next: String { "\(path).new" }

    /// The content, or `nil` where there is no file.
    ///
    /// - Parameter most: bytes; more are `corrupt`.
    public func read(atMost most: Int) throws(StoreError) -> [UInt8]? {
        guard let file = try StoreFile.openIfThere(disk, path) else { return nil }
        let bytes = try file.read(most + 1, at: 0)
        guard bytes.count <= most else { throw .corrupt(path, "it is longer than \(most) bytes") }
        return bytes
    }

    /// Durable when it returns. Makes the directory, not those above it, where it is missing.
    ///
    /// - Parameter change: takes the content that is there, at most `most` bytes, and returns the one that takes its
    ///   place. Nobody else changes the file meanwhile: they get `locked`.
    public func update<Value>(
        atMost most: Int, _ change: ([UInt8]?) throws -> (content: [UInt8], value: Value)
    ) throws -> Value {
        try disk.makeDirectories([directory])
        let lock = try self.lock()
        defer { lock.close() }
        let (content, value) = try change(try read(atMost: most))
        try replace(with: content)
        return value
    }

    private func lock() throws(StoreError) -> any DiskFile {
        do throws(StoreError) {
            return try attempt("lock", "\(path).lock") { () throws(SystemFault) in try disk.lock("\(path).lock") }
        } catch {
            guard error.systemCode == EWOULDBLOCK else { throw error }
            throw StoreError(.locked, path, "somebody else is changing this file; try again")
        }
    }

    private func replace(with content: [UInt8]) throws(StoreError) {
        let file = try StoreFile(disk, next, .createPrivate, name: path)
        try file.write(content, at: 0)
        try file.sync(.privateFile)
        try disk.moveFile(next, to: path)
        try disk.syncNames(of: directory, .privateDirectory)
    }
}
