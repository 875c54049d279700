import HummingbirdCore
import LogEngine
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle

/// What a server of any role is besides its answers: an address that is listened on, with its certificates and limits
/// and threads for what blocks, until nothing is in flight any more, though it was told to shut down (SPEC K4).
struct ListenerService: Sendable {
    /// Connections that the system keeps until they are accepted.
    private static let backlog = 1_024

    let log: EventLog
    let options: ListenerOptions
    let logger: Logger
    let certificates: ServerCertificates?
    private let onListening: @Sendable (Int) async -> Void

    /// - Parameters:
    ///   - log: what is served, and what those follow who are to end.
    ///   - onListening: called once, with the port, when requests can come.
    /// - Throws: where the certificates cannot be used.
    init(
        _ log: EventLog, _ options: ListenerOptions, _ logger: Logger,
        onListening: @escaping @Sendable (Int) async -> Void
    ) throws(TLSFault) {
        certificates = try options.tls.map { tls throws(TLSFault) in
            try ServerCertificates(tls, note: options.note)
        }
        (self.log, self.options, self.logger, self.onListening) = (log, options, logger, onListening)
    }

    /// Where it is cancelled, connections are cut.
    ///
    /// - Parameters:
    ///   - threads: for what blocks.
    ///   - listener: is given those, and the limits that this process can keep to.
    /// - Throws: `ListenFailure`.
    func run(threads: Int, _ listener: (NIOThreadPool, ConnectionLimits) -> Listener) async throws {
        let blocking = NIOThreadPool(numberOfThreads: threads)
        blocking.start()
        let watch = certificates.map {
            CertificateWatch($0, on: MultiThreadedEventLoopGroup.singleton.next(), pool: blocking)
        }
        let result = await outcome(listener(blocking, limits()))
        watch?.end()
        try await blocking.shutdownGracefully()
        try result.get()
    }

    private func limits() -> ConnectionLimits {
        let limits = options.connections.fitting(descriptors: Descriptors.limit)
        if limits.connections < options.connections.connections {
            options.note("at most \(limits.connections) connections: this process may have no more files open")
        }
        return limits
    }

    private func outcome(_ listener: Listener) async -> Result<Void, any Error> {
        do {
            try await runDrained(try service(listener))
            return .success(())
        } catch let error as IOError {
            return .failure(listenFailure(String(cString: strerror(error.errnoCode))))
        } catch is SocketAddressError.UnknownHost {
            return .failure(listenFailure("no such host"))
        } catch {
            return .failure(error)
        }
    }

    private func listenFailure(_ reason: String) -> ListenFailure {
        ListenFailure(description: "cannot listen on \(options.host):\(options.port): \(reason)")
    }

    private func service(_ listener: Listener) throws -> any Service {
        let onListening = onListening
        // Never shut down: the last of a connection is let go after it has been served.
        let loops = MultiThreadedEventLoopGroup.singleton
        return try listener.builder(loops).buildServer(
            configuration: ServerConfiguration(
                address: .hostname(options.host, port: options.port), serverName: nil, backlog: Self.backlog,
                reuseAddress: true),
            eventLoopGroup: loops, logger: logger.quiet, responder: listener.responder,
            onServerRunning: { channel in await onListening(channel.localAddress?.port ?? 0) })
    }

    private func runDrained(_ service: any Service) async throws {
        let group = ServiceGroup(services: [service], logger: logger.quiet)
        // Off this task, because its graceful shutdown must not be that of who still serves.
        let serving = Task.detached { try await group.run() }
        do {
            try await withTaskCancellationHandler {
                try await withGracefulShutdownHandler {
                    try await serving.value
                } onGracefulShutdown: { [log, drain = options.drain] in
                    drain.begin(now: log.uptime())
                    log.stopFollowing()
                    Task.detached {
                        await drain.finish()
                        await group.triggerGracefulShutdown()
                    }
                }
            } onCancel: {
                if options.drain.isStopping { options.note("connections are cut that have not come to their end") }
                serving.cancel()
            }
        } catch is CancellationError where options.drain.isStopping {
            // Who did not come to an end in time has been cut, and that was told.
        }
    }
}

/// A server could not listen where it was told to.
public struct ListenFailure: Error, CustomStringConvertible {
    public let description: String
}

extension Logger {
    /// For what libraries have to say: errors alone.
    fileprivate var quiet: Logger {
        var quiet = self
        quiet.logLevel = .error
        return quiet
    }
}
