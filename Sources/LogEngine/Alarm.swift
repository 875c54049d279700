import Glibc

/// Wakes one thread; a ring before the wait is not lost.
final class Alarm: @unchecked Sendable {
    private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    init() { sem_init(semaphore, 0, 0) }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    func ring() { sem_post(semaphore) }

    /// Returns when rung, or after so many milliseconds.
    func wait(atMost milliseconds: UInt64?) {
        guard let milliseconds else {
            while sem_wait(semaphore) != 0 && errno == EINTR {}
            return
        }
        var deadline = timespec()
        clock_gettime(CLOCK_REALTIME, &deadline)
        let capped = min(milliseconds, 86_400_000)
        deadline.tv_sec += Int(capped / 1_000) + 1
        while sem_timedwait(semaphore, &deadline) != 0 && errno == EINTR {}
    }
}
