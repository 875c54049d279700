import LogEngine
import TestSupport

/// Calls on a virtual disk, in the words of its tests.
enum DiskUse {
    static let path = "/d/file"

    /// A disk with the directory `/d`, durable.
    static func diskWithDirectory() throws -> VirtualDisk {
        let disk = VirtualDisk()
        try disk.makeDirectory("/d")
        try disk.syncDirectory("/", .storeDirectory)
        return disk
    }

    static func write(_ text: String, to file: any DiskFile, at offset: UInt64 = 0) throws -> Int {
        var text = text
        return try text.withUTF8 { try file.write([UnsafeRawBufferPointer($0)], at: offset) }
    }

    static func writeWhole(_ text: String, to path: String, on disk: VirtualDisk) throws {
        let file = try disk.open(path, .create)
        _ = try write(text, to: file)
        file.close()
    }

    static func syncFile(_ path: String, on disk: VirtualDisk) throws {
        let file = try disk.open(path, .update)
        try file.sync(.commit)
        file.close()
    }

    static func read(_ file: any DiskFile, upTo count: Int = 100, at offset: UInt64 = 0) throws -> String {
        var bytes = [UInt8](repeating: 0, count: count)
        let there = try bytes.withUnsafeMutableBytes { try file.read(into: $0, at: offset) }
        return String(decoding: bytes[..<there], as: UTF8.self)
    }

    static func text(_ path: String, on disk: VirtualDisk) -> String? {
        disk.contents(path).map { String(decoding: $0, as: UTF8.self) }
    }
}
