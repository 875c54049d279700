import LogEngine
import SegmentFormat

/// Why a store of user metadata cannot be opened.
public enum UserStoreFault: Error, Sendable, CustomStringConvertible {
    case log(StoreError)
    /// A line of a stream is none that this program has written.
    case entry(StreamName, StoredEntryFault)
    /// Events of the stream were purged, and no checkpoint that says what they had told is whole.
    case lost(StreamName, [String])
    /// The stream's checkpoint was made with another key.
    case otherKey(StreamName)
    /// Blocks of the stream cannot be read: what they say of users is not known.
    case damaged(StreamName, [FileFault])

    public var description: String {
        switch self {
        case .log(let error): error.description
        case .entry(let stream, let fault): "\(stream): \(fault)"
        case .lost(let stream, let reasons):
            "\(stream): events were purged, and no checkpoint of what they told can be read"
                + reasons.map { "; \($0)" }.joined()
        case .otherKey(let stream): "\(stream): its checkpoint was made with another key"
        case .damaged(let stream, let faults):
            "\(stream): " + faults.map(\.description).joined(separator: "; ")
        }
    }
}
