import Glibc
import ServiceLifecycle
import UnixSignals

/// The first SIGTERM or SIGINT ends a server in good order, the second at once: as a kill does, after which nothing
/// that was acknowledged is missing.
struct StopSignals {
    private let signals: UnixSignalsSequence

    /// From here on neither signal ends the process by itself.
    init() async { signals = await UnixSignalsSequence(trapping: .sigterm, .sigint) }

    /// - Parameter onFirst: called before `group` is told.
    func stop(_ group: ServiceGroup, _ console: Console, onFirst: () -> Void) async {
        var isStopping = false
        for await signal in signals {
            guard isStopping else {
                isStopping = true
                onFirst()
                await group.triggerGracefulShutdown()
                continue
            }
            console.say("a second signal: stopped at once")
            _exit(128 + (signal == .sigint ? SIGINT : SIGTERM))
        }
    }
}
