import FoundationEssentials
import NIOCore

enum Cores {
    /// How many this process may run on, by its affinity and by what it may take of the machine. More event loops than
    /// that only take the core from each other.
    static var usable: Int {
        let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        return min(status.flatMap(allowed(in:)) ?? .max, System.coreCount)
    }

    /// - Parameter status: that of a process (`proc_pid_status(5)`); `nil` where it does not tell.
    static func allowed(in status: String) -> Int? {
        let name = "Cpus_allowed_list:"
        guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix(name) }) else { return nil }
        var count = 0
        for range in line.dropFirst(name.count).drop(while: { $0 == "\t" || $0 == " " }).split(separator: ",") {
            let ends = range.split(separator: "-").compactMap { Int($0) }
            guard let first = ends.first, let last = ends.last, ends.count <= 2, first <= last else { return nil }
            count += last - first + 1
        }
        return count > 0 ? count : nil
    }
}
