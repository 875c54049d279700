import Glibc
import NIOSSL
import Synchronization

/// The certificates of a listener. They are replaced as a whole, or not at all: what cannot be used leaves the old
/// ones in place. A connection keeps those that it began with.
final class ServerCertificates: Sendable {
    typealias Note = @Sendable (String) -> Void

    private let options: TLSOptions
    private let note: Note
    private let now: @Sendable () -> Int
    private let current: Mutex<NIOSSLContext>
    /// Of the files when they were last looked at. Held while they are read, so that loads do not cross.
    private let stamps: Mutex<[FileStamp?]>

    /// - Parameters:
    ///   - note: takes what is to be told to a person.
    ///   - now: seconds since 1970.
    init(_ options: TLSOptions, note: @escaping Note, now: @escaping @Sendable () -> Int = { time(nil) })
        throws(TLSFault)
    {
        let stamps = Self.stamps(options)
        let loaded = try LoadedCertificates(options, now: now())
        (self.options, self.note, self.now) = (options, note, now)
        current = Mutex(loaded.context)
        self.stamps = Mutex(stamps)
        loaded.notes.forEach(note)
    }

    /// For connections that begin now.
    var context: NIOSSLContext { current.withLock { $0 } }

    /// Loads the files again. Blocks.
    func reload() {
        stamps.withLock { stamps in
            stamps = Self.stamps(options)
            load()
        }
    }

    /// Loads the files again if one of them has changed since the last look. Blocks.
    func look() {
        stamps.withLock { stamps in
            let found = Self.stamps(options)
            guard found != stamps else { return }
            stamps = found
            load()
        }
    }

    /// The stamps are from before, so that what is changed during a load is found by the next look.
    private func load() {
        do throws(TLSFault) {
            let loaded = try LoadedCertificates(options, now: now())
            current.withLock { $0 = loaded.context }
            note("certificates loaded again: \(loaded.summary)")
            loaded.notes.forEach(note)
        } catch {
            note("certificates not loaded again, the old ones stay: \(error)")
        }
    }

    private static func stamps(_ options: TLSOptions) -> [FileStamp?] { options.paths.map { FileStamp($0) } }
}
