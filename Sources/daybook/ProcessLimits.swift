import Glibc

enum ProcessLimits {
    /// Done once at the start: a closed pipe is an error to handle and no signal, as many files may be open as the
    /// system allows, and no core is dumped, which would have events in it.
    static func prepare() {
        signal(SIGPIPE, SIG_IGN)
        var core = rlimit(rlim_cur: 0, rlim_max: 0)
        setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &core)
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
