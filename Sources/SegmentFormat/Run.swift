/// Consecutive lines of one bucket, with their LFs.
public struct Run: Hashable, Sendable {
    public var bucket: Bucket
    public var lines: Int
    public var bytes: Int

    public init(bucket: Bucket, lines: Int, bytes: Int) {
        self.bucket = bucket
        self.lines = lines
        self.bytes = bytes
    }
}
