import Glibc
import SegmentFormat

/// A bad day: disk, network, a full queue, a store that is not what it should be. Bad bytes are a
/// `FormatFault`, which may be the `fault` here.
public struct StoreError: Error, Sendable, CustomStringConvertible {
    public enum Code: String, Sendable, CaseIterable {
        /// The disk failed.
        case disk
        /// No room on the disk; nothing of the batch was stored.
        case noSpace
        /// An earlier write failed; this log takes no more until it is opened again.
        case poisoned
        /// Another process has the store open.
        case locked
        /// No store here.
        case missing
        /// The store cannot be read safely.
        case corrupt
        /// The store has another resolution or stream than was asked for.
        case mismatch
        /// Too much in flight.
        case busy
        /// The log is closed.
        case closed
        /// A batch beyond the bounds.
        case tooLarge
        /// The key came before with another batch.
        case deliveryConflict
        /// A cursor that was not made by this store for this query.
        case badCursor
        /// What the cursor had still to deliver is gone.
        case goneCursor
        case badArgument
        /// The clock is too far ahead of what the store has seen.
        case clock
        /// Files that a scan may still need were purged.
        case revoked
        /// The job was asked to end.
        case cancelled
        /// The job gives way to a more urgent one.
        case interrupted
    }

    public let code: Code
    public let path: String
    /// What happened, and what to do.
    public let message: String
    public let systemCode: Int32?
    public let fault: FormatFault?
    /// Of `goneCursor`: goes on with what is left, in the same order.
    public internal(set) var nextCursor: ScanCursor?

    init(_ code: Code, _ path: String, _ message: String, systemCode: Int32? = nil, fault: FormatFault? = nil) {
        self.code = code
        self.path = path
        self.message = message
        self.systemCode = systemCode
        self.fault = fault
    }

    public var description: String { path.isEmpty ? message : "\(path): \(message)" }
}

extension StoreError {
    static func disk(_ fault: SystemFault, _ operation: String, _ path: String) -> StoreError {
        let reason = String(cString: strerror(fault.code))
        let isFull = fault.code == ENOSPC || fault.code == EDQUOT
        return StoreError(
            isFull ? .noSpace : .disk, path, "cannot \(operation): \(reason)", systemCode: fault.code)
    }

    /// Whatever the reason, even a full disk: after it nobody knows what is on the disk.
    static func failedSync(_ fault: SystemFault, _ path: String) -> StoreError {
        let reason = String(cString: strerror(fault.code))
        return StoreError(.disk, path, "cannot sync: \(reason)", systemCode: fault.code)
    }

    /// The same where it came too late to be taken back: a full disk is no excuse then.
    var beyondRepair: StoreError { StoreError(.disk, path, message, systemCode: systemCode, fault: fault) }

    static func corrupt(_ path: String, _ message: String, _ fault: FormatFault? = nil) -> StoreError {
        StoreError(.corrupt, path, message, fault: fault)
    }

    static func poisoned(by cause: StoreError) -> StoreError {
        StoreError(
            .poisoned, cause.path, "writing stopped after an error; restart to recover (\(cause.message))",
            systemCode: cause.systemCode)
    }

    static func noStore(at path: String) -> StoreError {
        StoreError(.missing, path, "there is no store here")
    }

    static func noRoom(_ path: String, free: UInt64, kept: UInt64) -> StoreError {
        StoreError(
            .noSpace, path,
            "only \(free) bytes are free, and appends leave \(kept); make room, and they go on")
    }

    static let closed = StoreError(.closed, "", "the log is closed")
    static let busy = StoreError(.busy, "", "too much is in flight; try again in a second")
    static let revoked = StoreError(.revoked, "", "a purge removed what this scan had still to read")
    static let cancelled = StoreError(.cancelled, "", "the job was asked to end; what it had finished stays")
    static let interrupted = StoreError(.interrupted, "", "the job gives way to another")
    static let deliveryConflict = StoreError(
        .deliveryConflict, "", "this idempotency key came before with another body")
    public static let badCursor = StoreError(
        .badCursor, "", "the cursor is not one of this store's for this query; start again without it")

    static func keyless(_ path: String) -> StoreError {
        StoreError(.mismatch, path, "the events of this stream have keys; it can be used with its key file alone")
    }

    static func noHold(_ number: UInt64) -> StoreError { StoreError(.missing, "", "there is no hold \(number)") }
    static func tooLarge(_ message: String) -> StoreError { StoreError(.tooLarge, "", message) }
    static func badArgument(_ message: String) -> StoreError { StoreError(.badArgument, "", message) }
}
