/// Why a dump cannot be read on.
public struct DumpFault: Error, Equatable, Sendable {
    public enum Reason: String, CaseIterable, Sendable {
        case truncated
        case notADump = "not_a_dump"
        case syntax
        case tooLong = "too_long"
        case trailingBytes = "trailing_bytes"

        public var message: String {
            switch self {
            case .truncated: "the dump ends before its end"
            case .notADump: "this is no dump: it has no rows"
            case .syntax: "this is not valid JSON: another token is expected here"
            case .tooLong: "what stands beside the rows is too long"
            case .trailingBytes: "nothing may follow the dump"
            }
        }
    }

    public var reason: Reason
    /// Of the window.
    public var offset: Int

    public init(_ reason: Reason, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }
}
