import Glibc
import Synchronization

/// The `Date` field (RFC 9110 §6.6.1), rendered once a second.
final class HTTPDate: Sendable {
    private let rendered = Mutex<(second: Int, text: String)>((-1, ""))

    var now: String {
        let second = time(nil)
        return rendered.withLock { cache in
            if cache.second != second { cache = (second, Self.text(of: second)) }
            return cache.text
        }
    }

    /// An IMF-fixdate. The names are English whatever the locale, so `strftime` is no use.
    static func text(of second: Int) -> String {
        var moment = second
        var parts = tm()
        gmtime_r(&moment, &parts)
        let weekday = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"][Int(parts.tm_wday)]
        let month = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ][Int(parts.tm_mon)]
        let clock = [parts.tm_hour, parts.tm_min, parts.tm_sec].map(twoDigits).joined(separator: ":")
        return "\(weekday), \(twoDigits(parts.tm_mday)) \(month) \(parts.tm_year + 1900) \(clock) GMT"
    }

    private static func twoDigits(_ value: Int32) -> String {
        value < 10 ? "0\(value)" : String(value)
    }
}
