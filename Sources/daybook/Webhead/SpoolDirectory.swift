import Glibc
import LogEngine

extension DataOptions {
    /// Of the stream that a directory holds: the spool, where there are no interactions.
    var streamOptions: LogOptions {
        var options = LogOptions()
        let hasInteractions = access("\(data)/\(options.stream)", F_OK) == 0
        if !hasInteractions, access("\(data)/spool", F_OK) == 0 { options.stream = .spool }
        return options
    }
}
