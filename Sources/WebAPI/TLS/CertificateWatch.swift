import NIOCore
import NIOPosix

/// Looks at the files of certificates again and again.
struct CertificateWatch {
    /// How long a change may go unseen.
    static let interval = TimeAmount.seconds(10)

    private let task: RepeatedTask

    /// - Parameter pool: for what blocks.
    init(_ certificates: ServerCertificates, on loop: any EventLoop, pool: NIOThreadPool) {
        task = loop.scheduleRepeatedAsyncTask(initialDelay: Self.interval, delay: Self.interval) { _ in
            pool.runIfActive(eventLoop: loop) { certificates.look() }
        }
    }

    func end() { task.cancel() }
}
