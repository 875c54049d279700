import Glibc
import LogEngine

/// The calls of `Disk` and `DiskFile`.
public enum DiskCall: String, CaseIterable, Sendable {
    case open, lock, list, length, allocatedBytes, freeBytes, read
    case write, sync, truncate, allocate, setModificationTime
    case makeDirectory, removeDirectory, rename, remove, syncDirectory
}

/// What may happen to a call.
public enum DiskFault: String, CaseIterable, Sendable {
    case inputOutput
    case noSpace
    case interrupted
    /// A read or a write moves only some of the bytes; other calls are not touched.
    case short

    var code: Int32? {
        switch self {
        case .inputOutput: EIO
        case .noSpace: ENOSPC
        case .interrupted: EINTR
        case .short: nil
        }
    }
}

/// Counts the calls of a disk and says which of them fail. Operations are the calls that change or
/// sync something; all others are reads. Both are counted from 1.
struct FaultPlan: Sendable {
    struct Entry: Sendable, CustomStringConvertible {
        var call: DiskCall
        var subject: String
        var operation: Int?
        var fault: String

        var description: String {
            "\(operation.map { "\($0)" } ?? "-") \(call.rawValue) \(subject)\(fault.isEmpty ? "" : " → \(fault)")"
        }
    }

    private(set) var operations = 0
    private(set) var reads = 0
    private(set) var calls: [DiskCall: Int] = [:]
    /// How many planned faults have happened.
    private(set) var struck = 0
    private(set) var history: [Entry] = []

    private var stop = Int.max
    private var byOperation: [Int: DiskFault] = [:]
    private var byCall: [DiskCall: [Int: DiskFault]] = [:]

    mutating func stop(at operation: Int) { stop = operation }
    mutating func fail(operation: Int, with fault: DiskFault) { byOperation[operation] = fault }
    mutating func fail(_ call: DiskCall, at number: Int, with fault: DiskFault) {
        byCall[call, default: [:]][number] = fault
    }

    /// Nothing fails any more; the counters stay.
    mutating func clear() {
        stop = .max
        byOperation = [:]
        byCall = [:]
    }

    var isStopped: Bool { operations >= stop }

    /// Counts a call; returns what is planned for it. `nil` where it may go on.
    mutating func admit(_ call: DiskCall, _ subject: String, isOperation: Bool) -> DiskFault? {
        guard !isStopped else { return .inputOutput }
        calls[call, default: 0] += 1
        if isOperation { operations += 1 } else { reads += 1 }
        let fault =
            isStopped ? .inputOutput : byCall[call]?[calls[call] ?? 0] ?? (isOperation ? byOperation[operations] : nil)
        if fault != nil { struck += 1 }
        let outcome = isStopped ? "the power is cut" : fault?.rawValue ?? ""
        history.append(Entry(call: call, subject: subject, operation: isOperation ? operations : nil, fault: outcome))
        return fault
    }
}
