import ServiceLifecycle
import UnixSignals

/// Loads the certificates of all listeners again at each SIGHUP.
struct CertificateReloads: Service {
    let hangups: UnixSignalsSequence
    let reload: @Sendable () -> Void

    func run() async {
        for await _ in hangups.cancelOnGracefulShutdown() { reload() }
    }
}
