import SegmentFormat
import Synchronization

/// A broken clause and the file that breaks it.
public struct FileFault: Hashable, Sendable, CustomStringConvertible {
    public let path: String
    public let fault: FormatFault

    public init(path: String, fault: FormatFault) {
        self.path = path
        self.fault = fault
    }

    public var description: String { "\(path): \(fault)" }
}

/// The faults that reading has met since the store was opened, each once.
public final class FaultLog: Sendable {
    private let found = Mutex<(order: [FileFault], known: Set<FileFault>, paths: Set<String>)>(([], [], []))

    public var all: [FileFault] { found.withLock { $0.order } }

    /// Whether a fault of this file is known.
    func has(_ path: String) -> Bool { found.withLock { $0.paths.contains(path) } }

    func report(_ fault: FileFault) {
        found.withLock { state in
            guard state.known.insert(fault).inserted else { return }
            state.order.append(fault)
            state.paths.insert(fault.path)
        }
    }
}

/// What opening a store found and did.
public struct OpenReport: Sendable {
    public var isNew = false
    /// Sentences for a person: recovery, faults, files that are left alone.
    public var notes: [String] = []
    public var faults: [FileFault] = []
}
