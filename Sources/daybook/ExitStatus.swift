import Forwarding
import LogEngine
import Settings
import UserMetadata
import WebAPI

/// Exit codes: those of sysexits.h, and below them those that only jobs have (SPEC X1).
enum ExitStatus: Int32, CaseIterable {
    case success = 0
    /// A job of the same kind runs already.
    case alreadyRunning = 5
    /// The clock is too far ahead of what the store has seen: nothing was done.
    case clock = 6
    /// What was done is right; something that should have gone, too, has to wait.
    case deferred = 7
    /// The command line makes no sense.
    case usage = 64
    /// The input, or the store, has something wrong in it.
    case data = 65
    /// A file or a store is not there.
    case noInput = 66
    /// A server or an address is not available.
    case unavailable = 69
    /// There is no room for more.
    case noRoom = 73
    /// Reading or writing failed.
    case inputOutput = 74
    /// Something else has the store now: try again.
    case temporary = 75
    /// A request would not be let in.
    case refused = 77
    /// The configuration has something wrong in it.
    case configuration = 78

    private var meaning: String {
        switch self {
        case .success: "done"
        case .alreadyRunning: "such a job runs already"
        case .clock: "clock refused"
        case .deferred: "something was deferred"
        case .usage: "usage"
        case .data: "bad data"
        case .noInput: "no such file or store"
        case .unavailable: "server or address not available"
        case .noRoom: "no room"
        case .inputOutput: "I/O error"
        case .temporary: "locked or busy, try again"
        case .refused: "a request would be refused"
        case .configuration: "bad configuration"
        }
    }

    static var summary: String {
        allCases.map { "\($0.rawValue) \($0.meaning)" }.joined(separator: ", ")
    }
}

/// Why a command ends early. An empty message where everything was said already.
struct CommandFailure: Error, Equatable {
    let status: ExitStatus
    let message: String

    init(_ status: ExitStatus, _ message: String) {
        self.status = status
        self.message = message
    }

    /// `nil` for errors that are the argument parser's.
    init?(of error: any Error) {
        switch error {
        case let failure as CommandFailure: self = failure
        case is CancellationError: self.init(.temporary, "stopped before the end; run it again")
        case let error as StoreError: self.init(Self.status(of: error.code), error.description)
        case let error as AccessRuleFault: self.init(.configuration, error.description)
        case let error as TokenFile.Damage: self.init(.data, error.description)
        case let error as SecretFile.Fault: self.init(.noInput, error.description)
        case UserStoreFault.log(let error): self.init(Self.status(of: error.code), error.description)
        case let error as UserStoreFault: self.init(.data, error.description)
        case let error as CountryDatabaseFault: self.init(.data, error.description)
        case let error as KeyFileFault: self.init(.noInput, error.description)
        case let error as SpoolFault: self.init(.data, error.description)
        case let error as ListenFailure: self.init(.unavailable, error.description)
        case let error as TLSFault: self.init(error.kind == .unreadable ? .noInput : .data, error.description)
        default: return nil
        }
    }

    private static func status(of code: StoreError.Code) -> ExitStatus {
        switch code {
        case .disk, .poisoned, .closed: .inputOutput
        case .noSpace: .noRoom
        case .locked, .busy, .cancelled, .interrupted: .temporary
        case .clock: .clock
        case .missing: .noInput
        case .corrupt, .tooLarge, .deliveryConflict, .goneCursor, .revoked: .data
        case .mismatch, .badCursor, .badArgument: .usage
        }
    }
}
