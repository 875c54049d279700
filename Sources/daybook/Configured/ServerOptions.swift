import Settings
import WebAPI

extension Server.Options {
    /// - Parameter console: is told what the server has to say of its certificates and limits.
    init(
        _ listener: Listener, _ tokens: TokenBook, _ audit: AccessAudit, _ drain: Drain, _ console: Console
    ) throws(AccessRuleFault) {
        self.init(ListenerOptions(listener, console))
        self.listener.drain = drain
        role = Role(listener.role)
        access = try AccessPolicy(listener, tokens)
        self.audit = audit
    }
}

extension ListenerOptions {
    /// - Parameter console: is told what the listener has to say of its certificates and limits.
    init(_ listener: Listener, _ console: Console) {
        self.init(host: listener.address.host, port: listener.address.port)
        tls = listener.tls.map { TLSOptions($0) }
        connections = ConnectionLimits(listener.limits)
        requests = RequestLimits(listener.limits)
        note = { console.say($0) }
    }
}

extension Role {
    init(_ role: Listener.Role) {
        self =
            switch role {
            case .interactions: .interactions
            case .userMetadata: .userMetadata
            case .webhead: .webhead
            case .admin: .admin
            }
    }
}

extension TLSOptions {
    init(_ files: TLSFiles) {
        let clientAuth: ClientAuth =
            switch files.clientAuth {
            case .required: .required
            case .optional: .optional
            }
        self.init(
            certificatePath: files.certificate, keyPath: files.key, authorityPath: files.authority,
            clientAuth: clientAuth)
    }
}

extension ConnectionLimits {
    init(_ limits: Limits) {
        self.init()
        connections = limits.connections
        headerBytes = limits.headerBytes
        headerFields = limits.headerFields
        header = .milliseconds(Int64(limits.headerDeadline))
        body = .milliseconds(Int64(limits.bodyDeadline))
        idle = .milliseconds(Int64(limits.idleTime))
        streamsPerClient = limits.streamsPerClient
        streamsPerConnection = limits.streamsPerConnection
    }
}

extension RequestLimits {
    init(_ limits: Limits) {
        self.init(
            inFlight: limits.inFlight, bodyBytes: limits.bodyBytes,
            scanDuration: .milliseconds(Int64(limits.scanDuration)),
            rate: limits.ratePerClient.map { ClientRate(perSecond: $0, burst: limits.burstPerClient ?? $0) })
    }
}
