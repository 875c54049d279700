import SegmentFormat

extension StoreFile {
    private static let copiedAtOnce = 1 << 20

    /// The first `length` bytes in a file of their own, durably under the name `target`; made at `temporary`.
    func copy(
        _ length: UInt64, to target: String, through temporary: String, _ disk: any Disk
    ) throws(StoreError) -> StoreFile {
        let copy = try StoreFile(disk, temporary, .create, name: target)
        let window = FileWindow(self, length: length)
        var offset: UInt64 = 0
        while offset < length {
            let bytes = try window.bytes(at: offset, count: Self.copiedAtOnce)
            guard !bytes.isEmpty else { break }
            try copy.write([bytes], at: offset)
            offset += UInt64(bytes.count)
        }
        try copy.sync(.recoveredSegment)
        try disk.moveFile(temporary, to: target)
        try disk.syncNames(of: Layout.directory(of: target), .recoveredDirectory)
        return copy
    }
}
