import SegmentFormat

// The one seam to the disk. What is behind it may write less than it is given, be interrupted and
// fail; `DiskAccess.swift` makes whole operations of these calls.

/// A system call that failed, by its `errno`.
public struct SystemFault: Error, Hashable, Sendable {
    public let code: Int32
    public init(_ code: Int32) { self.code = code }
}

/// Every place that makes something durable. A test runs the suite with each of them left out.
public enum SyncPoint: String, CaseIterable, Sendable {
    /// The data directory and the stream's own, when a store is made.
    case storeDirectory
    /// A manifest slot that is made in `tmp/`.
    case manifestCreation
    /// The stream's directory, after a manifest slot was renamed into it.
    case manifestDirectory
    /// A manifest slot that is written anew in place.
    case manifestSlot
    /// The head of a new segment, in `tmp/`.
    case segmentHead
    /// `hot/`, after a new segment was renamed into it.
    case segmentDirectory
    /// The blocks of a commit.
    case commit
    /// The seal of a segment.
    case seal
    /// A segment that recovery copied, in `tmp/`.
    case recoveredSegment
    /// `hot/`, after a recovered segment was renamed over the old one.
    case recoveredDirectory
    /// A directory, after segments that left the store were removed from it.
    case removedSegments
    /// A cold segment, whole with its seal, in `tmp/`.
    case coldSegment
    /// The directory of its day, after a cold segment was renamed into it.
    case coldDayDirectory
    /// `cold/`, after the directory of a day was made.
    case coldDirectory
    /// A checkpoint of a view, whole with its seal, in `tmp/`.
    case checkpoint
    /// `views/`, after a checkpoint was renamed into it.
    case checkpointDirectory
    /// A private file, before it takes the place of the one that was there.
    case privateFile
    /// Its directory, afterwards.
    case privateDirectory
    /// A note, when its room is made and when it is replaced.
    case note
    /// The directory of a note, after its files were made.
    case noteDirectory
}

public enum OpenMode: Sendable {
    case read
    /// Read and write; the file must be there.
    case update
    /// Read and write; what is there under that name is emptied.
    case create
    /// The same, for the owner alone.
    case createPrivate

    public var isCreating: Bool { self == .create || self == .createPrivate }
}

/// An open file. Its owner closes it; reads may come from any thread, the rest from one.
public protocol DiskFile: AnyObject, Sendable {
    /// Bytes read, 0 at the end of the file; may be fewer than fit.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(SystemFault) -> Int
    /// Bytes written; may be fewer than given. At most 1,024 pieces.
    func write(_ pieces: [UnsafeRawBufferPointer], at offset: UInt64) throws(SystemFault) -> Int
    /// Makes content and length durable.
    func sync(_ point: SyncPoint) throws(SystemFault)
    func truncate(to length: UInt64) throws(SystemFault)
    func length() throws(SystemFault) -> UInt64
    /// Whether this is the file that has the name `path` now.
    func isNamed(_ path: String) throws(SystemFault) -> Bool
    /// Milliseconds since 1970, for both times that a file has.
    func setModificationTime(_ milliseconds: UInt64) throws(SystemFault)
    func close()
}

public protocol Disk: AnyObject, Sendable {
    func open(_ path: String, _ mode: OpenMode) throws(SystemFault) -> any DiskFile
    /// Names, without `.` and `..`, in no order.
    func list(_ directory: String) throws(SystemFault) -> [String]
    /// The length of a file, or `nil` where there is none.
    func length(of path: String) throws(SystemFault) -> UInt64?
    /// Bytes of the file system that a file takes up, or `nil` where there is none.
    func allocatedBytes(of path: String) throws(SystemFault) -> UInt64?
    /// Makes a file of so many bytes, at least 1, whose room is taken at once; what is there under that
    /// name is emptied first. A failure may leave a part of it behind.
    func allocate(_ path: String, bytes: UInt64) throws(SystemFault)
    func makeDirectory(_ path: String) throws(SystemFault)
    /// `ENOTEMPTY` where something is in it.
    func removeDirectory(_ path: String) throws(SystemFault)
    func rename(_ path: String, to newPath: String) throws(SystemFault)
    func remove(_ path: String) throws(SystemFault)
    /// Makes the names in a directory durable.
    func syncDirectory(_ path: String, _ point: SyncPoint) throws(SystemFault)
    /// Bytes that an ordinary user may still write to the file system that holds `path`.
    func freeBytes(at path: String) throws(SystemFault) -> UInt64
    /// Takes the advisory lock of `path`, which is made if need be; `EWOULDBLOCK` where another
    /// process, or another caller of this one, has it. The lock goes when the file is closed.
    func lock(_ path: String) throws(SystemFault) -> any DiskFile
}
