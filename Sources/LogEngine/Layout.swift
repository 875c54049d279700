import SegmentFormat

/// Where the files of a stream are. Names are built and taken apart here only.
public struct Layout: Sendable {
    /// The data directory.
    public let data: String
    public let stream: StreamName

    public init(data: String, stream: StreamName) {
        self.data = data
        self.stream = stream
    }

    /// The directory that holds the data directory.
    var parent: String {
        let parts = data.split(separator: "/", omittingEmptySubsequences: true).dropLast()
        let joined = parts.joined(separator: "/")
        return data.hasPrefix("/") ? "/\(joined)" : joined.isEmpty ? "." : joined
    }

    public var root: String { "\(data)/\(stream)" }
    public var hot: String { "\(root)/hot" }
    var temporary: String { "\(root)/tmp" }
    var lock: String { "\(root)/LOCK" }
    /// How far the active segment is durable; written anew after each sync.
    public var activeMark: String { "\(hot)/ACTIVE" }
    var directories: [String] { [root, hot, "\(root)/cold", "\(root)/views", temporary] }

    func manifest(_ slot: Int) -> String { "\(root)/\(Self.manifestName(slot))" }
    func temporaryManifest(_ slot: Int) -> String { "\(temporary)/\(Self.manifestName(slot))" }
    private static func manifestName(_ slot: Int) -> String { "MANIFEST.\(slot)" }

    public func hotSegment(_ segment: SegmentNumber) -> String { "\(hot)/\(Self.hotName(segment))" }
    func temporarySegment(_ segment: SegmentNumber) -> String { "\(temporary)/\(Self.hotName(segment))" }

    private static let hotSuffix = ".ndjson.lz4"
    private static let digits = 20

    private static func hotName(_ segment: SegmentNumber) -> String {
        let number = String(segment.value)
        return String(repeating: "0", count: digits - number.count) + number + hotSuffix
    }

    /// The number of a hot segment by its file name, or `nil` for any other name.
    public static func hotSegment(named name: String) -> SegmentNumber? {
        guard name.hasSuffix(hotSuffix), name.utf8.count == digits + hotSuffix.utf8.count,
            name.utf8.prefix(digits).allSatisfy({ (0x30...0x39).contains($0) }),
            let value = UInt64(name.prefix(digits)), (1..<FormatBounds.counters).contains(value)
        else { return nil }
        return SegmentNumber(value)
    }

    /// The number of the hot segment at a path.
    public static func hotSegment(at path: String) -> SegmentNumber? {
        path.split(separator: "/").last.flatMap { hotSegment(named: String($0)) }
    }
}
