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
    public var cold: String { "\(root)/cold" }
    /// What `repair` could not read.
    var damaged: String { "\(root)/damaged" }
    var temporary: String { "\(root)/tmp" }
    /// Checkpoints of the view that is kept beside the log.
    public var views: String { "\(root)/views" }
    var lock: String { "\(root)/LOCK" }
    var reserve: String { "\(root)/RESERVE" }
    /// Where jobs find the process that has the store open (SPEC J1).
    public var controlSocket: String { "\(root)/\(Self.controlSocketName)" }
    public static let controlSocketName = "control.sock"
    /// How far the active segment is durable; written anew after each sync.
    public var activeMark: String { "\(hot)/ACTIVE" }
    var directories: [String] { [root, hot, cold, views, temporary] }

    static func directory(of path: String) -> String {
        path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
    }

    func manifest(_ slot: Int) -> String { "\(root)/\(Self.manifestName(slot))" }
    func temporaryManifest(_ slot: Int) -> String { "\(temporary)/\(Self.manifestName(slot))" }
    private static func manifestName(_ slot: Int) -> String { "MANIFEST.\(slot)" }

    /// The directory of a UTC day, in days since 1970.
    func coldDirectory(_ day: UInt32) -> String { "\(cold)/\(DayName.text(day))" }

    public func hotSegment(_ segment: SegmentNumber) -> String { "\(hot)/\(Self.hotNames.name(segment))" }
    func temporarySegment(_ segment: SegmentNumber) -> String { "\(temporary)/\(Self.hotNames.name(segment))" }
    func coldSegment(_ segment: SegmentNumber, day: UInt32) -> String {
        "\(coldDirectory(day))/\(Self.coldNames.name(segment))"
    }
    func temporaryColdSegment(_ segment: SegmentNumber) -> String { "\(temporary)/\(Self.coldNames.name(segment))" }

    func checkpoint(_ generation: SegmentNumber) -> String { "\(views)/\(Self.coldNames.name(generation))" }

    /// Where a cold segment is made, and where it goes.
    func place(ofCold segment: SegmentNumber, day: UInt32) -> SegmentPlace {
        SegmentPlace(
            temporary: temporaryColdSegment(segment), directory: coldDirectory(day),
            path: coldSegment(segment, day: day), content: .coldSegment,
            names: [(coldDirectory(day), .coldDayDirectory), (cold, .coldDirectory)])
    }

    /// The same of a checkpoint.
    func place(ofCheckpoint generation: SegmentNumber) -> SegmentPlace {
        SegmentPlace(
            temporary: "\(temporary)/checkpoint-\(Self.coldNames.name(generation))", directory: views,
            path: checkpoint(generation), content: .checkpoint, names: [(views, .checkpointDirectory)])
    }

    /// Where a listed segment lies.
    public func path(of entry: SegmentEntry) -> String {
        entry.day.map { coldSegment(entry.segment, day: $0) } ?? hotSegment(entry.segment)
    }

    /// Where a damaged segment is kept aside. Of one whose lines are not known its sealing tells the age.
    func damagedSegment(_ entry: SegmentEntry) -> String {
        let names = entry.day == nil ? Self.hotNames : Self.coldNames
        let first = entry.lines > 0 ? entry.firstBucket : Bucket(milliseconds: entry.sealed)
        return damagedFile(names.name(entry.segment), from: first)
    }

    /// Where the file of a segment is kept aside. Its name says from when on it is younger than a horizon.
    func damagedFile(_ name: String, from first: Bucket) -> String { "\(damaged)/\(first.milliseconds)-\(name)" }

    /// The first bucket of a file in `damaged/`, or `nil` for any other name.
    static func damagedBucket(named name: String) -> Bucket? {
        let parts = name.split(separator: "-", maxSplits: 1)
        guard parts.count == 2, hotNames.number(String(parts[1])) ?? coldNames.number(String(parts[1])) != nil else {
            return nil
        }
        return UInt64(parts[0]).map { Bucket(milliseconds: $0) }
    }

    // MARK: - Names

    private static let hotNames = SegmentNames(suffix: ".ndjson.lz4")
    private static let coldNames = SegmentNames(suffix: ".ndjson.zst")

    /// The number of a hot segment by its file name, or `nil` for any other name.
    public static func hotSegment(named name: String) -> SegmentNumber? { hotNames.number(name) }

    /// The number of a cold segment by its file name, or `nil` for any other name.
    static func coldSegment(named name: String) -> SegmentNumber? { coldNames.number(name) }

    /// The generation of a checkpoint by its file name, or `nil` for any other name.
    static func checkpoint(named name: String) -> SegmentNumber? { coldNames.number(name) }

    /// The day that a directory in `cold/` is named for, or `nil` for any other name.
    static func coldDay(named name: String) -> UInt32? { DayName.day(name) }

    /// The number of the segment at a path, and its kind. A cold one's directory names its day.
    static func segment(at path: String) -> (number: SegmentNumber, kind: SegmentKind)? {
        let parts = path.split(separator: "/").suffix(2).map(String.init)
        guard let name = parts.last else { return nil }
        if let number = hotSegment(named: name) { return (number, .hot) }
        return coldSegment(named: name).map { ($0, .cold(day: parts.first.flatMap { coldDay(named: $0) })) }
    }
}

/// Where a file is made, and where it lives once it is whole.
struct SegmentPlace {
    let temporary: String
    let directory: String
    let path: String
    /// What its own sync is known by.
    let content: SyncPoint
    /// Directories whose names are made durable once it is there.
    let names: [(directory: String, point: SyncPoint)]
}

/// Names of segment files: a number in 20 digits, and what says of which kind they are.
private struct SegmentNames {
    private static let digits = 20
    let suffix: String

    func name(_ segment: SegmentNumber) -> String {
        let number = String(segment.value)
        return String(repeating: "0", count: Self.digits - number.count) + number + suffix
    }

    func number(_ name: String) -> SegmentNumber? {
        guard name.hasSuffix(suffix), name.utf8.count == Self.digits + suffix.utf8.count,
            name.utf8.prefix(Self.digits).allSatisfy({ (0x30...0x39).contains($0) }),
            let value = UInt64(name.prefix(Self.digits)), (1..<FormatBounds.counters).contains(value)
        else { return nil }
        return SegmentNumber(value)
    }
}
