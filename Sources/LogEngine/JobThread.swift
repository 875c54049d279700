import Glibc
import Synchronization

// Jobs block on the disk and compress for minutes: they get a thread of their own, of low priority,
// rather than one of an executor.

/// What a running job is told.
public final class JobControl: Sendable {
    private let cancelled = Atomic(false)

    public init() {}

    public var isCancelled: Bool { cancelled.load(ordering: .relaxed) }

    /// Ends the job between two of its steps; what it has finished stays.
    public func cancel() { cancelled.store(true, ordering: .relaxed) }
}

enum JobThread {
    private static let niceness: Int32 = 10

    /// Runs `body` on a new thread; returns when it has ended. If the task is cancelled, `control` is.
    static func run<Value: Sendable>(
        _ control: JobControl, _ body: @escaping @Sendable () throws(StoreError) -> Value
    ) async throws(StoreError) -> Value {
        let result = await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                start {
                    continuation.resume(returning: Result { () throws(StoreError) in try body() })
                } orElse: { code in
                    continuation.resume(
                        returning: .failure(.disk(SystemFault(code), "start a thread for", "a job")))
                }
            }
        } onCancel: {
            control.cancel()
        }
        return try result.get()
    }

    private final class Work {
        let body: () -> Void
        init(_ body: @escaping () -> Void) { self.body = body }
    }

    private static func start(_ body: @escaping () -> Void, orElse fail: (Int32) -> Void) {
        var thread = pthread_t()
        let work = Unmanaged.passRetained(Work(body))
        let code = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                // Of this thread alone, as Linux has it; where it is not allowed the job runs as it is.
                _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, JobThread.niceness)
                Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().body()
                return nil
            }, work.toOpaque())
        guard code == 0 else {
            work.release()
            return fail(code)
        }
        pthread_detach(thread)
    }
}
