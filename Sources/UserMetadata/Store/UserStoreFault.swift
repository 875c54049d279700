import LogEngine
import SegmentFormat

/// Why a store of user metadata cannot be opened.
public enum UserStoreFault: Error, Sendable, CustomStringConvertible {
    case log(StoreError)
    /// A line of a stream is none that this program has written.
    case entry(StreamName, StoredEntryFault)
    /// Events of the stream were purged, and nothing says what they had told.
    case purged(StreamName)
    /// Blocks of the stream cannot be read: what they say of users is not known.
    case damaged(StreamName, [FileFault])

    public var description: String {
        switch self {
        case .log(let error): error.description
        case .entry(let stream, let fault): "\(stream): \(fault)"
        case .purged(let stream): "\(stream): events were purged, and no checkpoint says what they told"
        case .damaged(let stream, let faults):
            "\(stream): " + faults.map(\.description).joined(separator: "; ")
        }
    }
}
