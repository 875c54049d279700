import Forwarding
import SegmentFormat
import WebAPI

/// What a webhead is to do, whether flags or a configuration file say so.
struct WebheadPlan: Sendable {
    struct Listener: Sendable {
        /// Empty where nothing names it.
        let name: String
        var server: WebheadServer.Options
    }

    /// The directory of the spool.
    var data: String
    /// `nil` for the spool's own.
    var resolution: Resolution?
    /// The file of the secrets that sessions are signed with; `nil` for one in the directory.
    var sessionKeys: String?
    /// How long the spool is emptied at the end.
    var drainLimit: Duration
    var browsers: WebheadOptions
    var forwarding: ForwardingService.Options
    var listeners: [Listener]
}
