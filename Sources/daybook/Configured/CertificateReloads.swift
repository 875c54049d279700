import ServiceLifecycle
import UnixSignals
import WebAPI

/// Loads the certificates of all listeners again at each SIGHUP.
struct CertificateReloads: Service {
    let hangups: UnixSignalsSequence
    let servers: [Server]

    func run() async {
        for await _ in hangups.cancelOnGracefulShutdown() {
            for server in servers { server.reloadCertificates() }
        }
    }
}
