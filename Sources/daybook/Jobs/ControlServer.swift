import Glibc
import LogEngine
import NIOCore
import NIOPosix
import ServiceLifecycle

/// Runs jobs on the logs that this process has open, for those who ask through `control.sock` (SPEC §16).
final class ControlServer: Service {
    struct Options: Sendable {
        var limits = ControlLimits()
        var admits: @Sendable (uid_t) -> Bool = { Peer.mayRunJobs($0, server: geteuid()) }
        var parse: @Sendable ([String]) throws -> any JobCommand = { try Daybook.job($0) }
    }

    private let place: JobPlace
    private let socket: ControlSocket
    private let listener: any Channel
    private let door: ControlDoor
    private let options: Options
    private let console: Console

    /// Makes the socket and listens on it.
    ///
    /// - Parameters:
    ///   - place: stays open when the server ends; it belongs to the caller, who has the locks.
    ///   - console: hears of those who are refused.
    init(
        _ place: JobPlace, _ layout: Layout, _ console: Console, _ options: Options = Options()
    ) async throws {
        self.place = place
        self.console = console
        self.options = options
        let door = ControlDoor(options.limits, admits: options.admits) { user in
            console.say("\(layout.controlSocket): refused a job of user \(user)")
        }
        self.door = door
        let socket = try ControlSocket(of: layout)
        listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { door.enter($0) }
            .withBoundSocket(socket.bind()).get()
        self.socket = socket
    }

    /// Serves until it is told to shut down gracefully, or is cancelled; then asks the jobs to stop, waits for
    /// them, and returns when their answers are out.
    func run() async throws {
        await withTaskCancellationOrGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                for await job in door.jobs { group.addTask { await self.serve(job) } }
                group.cancelAll()
            }
        } onCancelOrGracefulShutdown: {
            self.stop()
        }
        try await door.empty()
    }

    private func serve(_ job: AcceptedJob) async {
        let console = Console(job.answer)
        let status = await Console.$current.withValue(console) {
            await Daybook.status(on: console) {
                try await options.parse(job.request.arguments).run(in: place, console)
            }
        }
        job.answer.end(status)
    }

    private func stop() {
        do {
            try socket.remove()
        } catch {
            console.say("cannot remove \(Layout.controlSocketName): \(String(cString: strerror(error.code)))")
        }
        listener.close(promise: nil)
        door.shut()
    }
}

extension Daybook {
    /// The job of a command line.
    static func job(_ arguments: [String]) throws -> any JobCommand {
        guard let job = try parseAsRoot(arguments) as? any JobCommand else {
            throw CommandFailure(.usage, "'\(arguments.joined(separator: " "))' is no job for a server")
        }
        return job
    }
}
