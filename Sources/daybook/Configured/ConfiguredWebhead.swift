import Forwarding
import Interactions
import SegmentFormat
import Settings
import WebAPI

extension Configuration {
    /// Those that browsers come to, and those that tell of the webhead.
    var webheadListeners: [Listener] {
        listeners.filter { listener in
            guard listener.role == .admin, let webhead else { return listener.role == .webhead }
            return listener.data.map { DataDirectory.isSame($0, webhead.data) } ?? false
        }
    }

    /// All others.
    var storeListeners: [Listener] {
        let its = Set(webheadListeners.map(\.path))
        return listeners.filter { !its.contains($0.path) }
    }
}

extension WebheadPlan {
    /// `nil` where the configuration has no webhead.
    init?(_ configuration: Configuration, _ console: Console) throws {
        guard let settings = configuration.webhead else { return nil }
        var forwarding = try ForwardingService.Options(settings.storage)
        forwarding.bounds.bytes = UInt64(settings.maxBytes)
        forwarding.bounds.ageMilliseconds = settings.maxAge.map { Int64($0) }
        self.init(
            data: settings.data, resolution: settings.resolution.flatMap { Resolution(milliseconds: $0) },
            sessionKeys: settings.sessionKeys, drainLimit: .milliseconds(Int64(settings.drainTime)),
            browsers: WebheadOptions(settings.browsers), forwarding: forwarding,
            listeners: configuration.webheadListeners.map { listener in
                var server = WebheadServer.Options(ListenerOptions(listener, console))
                server.isForOperators = listener.role == .admin
                return Listener(name: listener.name, server: server)
            })
    }
}

extension WebheadOptions {
    fileprivate init(_ settings: BrowserSettings) {
        self.init()
        bodyBytes = settings.bodyBytes
        unknownFields =
            switch settings.unknownFields {
            case .pass: .pass
            case .drop: .drop
            case .refuse: .refuse
            }
        sample = SessionSample(rate: settings.sampleRate) ?? .all
        browserSampleRate = settings.toldSampleRate
        browserSampleRates = settings.toldSampleRates
        origins = Set(settings.origins)
        isSecure = settings.isSecure
        optOut = Set(settings.optOut.compactMap { OptOutSignal(rawValue: $0.rawValue) })
    }
}

extension ForwardingService.Options {
    /// Throws where a file of it cannot be used.
    fileprivate init(_ settings: StorageSettings) throws {
        self.init(servers: settings.servers.map { ServerName($0) })
        storage.dialect = settings.sendsForms ? .form : .ndjson
        storage.coding =
            switch settings.coding {
            case .lz4: .lz4
            case .plain: .plain
            }
        policy.batchEvents = settings.batchEvents
        policy.batchMilliseconds = Int64(settings.batchTime)
        storage.token = try settings.token.map(StorageToken.text)
        storage.tls = try ClientTLS(
            authority: settings.authority, certificate: settings.certificate, key: settings.key
        ).configuration()
    }
}
