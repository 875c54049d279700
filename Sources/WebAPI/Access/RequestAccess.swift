import HTTPTypes
import HummingbirdCore
import NIOCore

extension RequestHandler {
    /// What a request is for, and who makes it, if he may; nothing of its body is read before. Refusals are recorded.
    ///
    /// - Parameter peer: asked for only where it matters.
    func admit(
        _ request: Request, _ peer: () async throws -> Peer
    ) async throws -> (route: Route, who: Principal?) {
        let (route, who): (Result<Route, Problem>, Principal?)
        do {
            let path = try Self.normal(request.uri.path)
            route = Result { () throws(Problem) in try Route(request.method, path: path, role: role) }
            // Who is not let in learns nothing about which paths there are.
            let need = if case .success(let route) = route { route.need } else { AccessNeed.anything }
            who = try await admit(request.headers, to: path, for: need, peer)
        } catch let problem as Problem {
            throw request.hasBody ? problem.closingConnection() : problem
        }
        return (try route.get(), who)
    }

    private static func normal(_ path: String) throws(Problem) -> NormalPath {
        do throws(NormalPath.Fault) { return try NormalPath(path) } catch { throw Problem(error) }
    }

    private func admit(
        _ fields: HTTPFields, to path: NormalPath, for need: AccessNeed, _ peer: () async throws -> Peer
    ) async throws -> Principal? {
        // Of who asks for nothing that is guarded or recorded, nothing is looked at.
        guard need != .nothing, !access.isOpen || (audit != nil && need == .scope(.read)) else { return nil }
        let credentials = Credentials(fields, try await peer(), access.forwarders)
        if access.ignoresIdentity(credentials) { counters.ignoreIdentity() }
        let decision = access.decide(need, path, credentials)
        guard let refusal = decision.refusal else { return decision.principal }
        audit?.refuse(refusal, of: decision.principal)
        throw Problem(refusal, for: need)
    }

    /// Whether a small POST may be done, and for whom it is, without counting or recording anything; `nil` where it may
    /// not. On the channel's event loop.
    ///
    /// - Parameter head: asked for only where it matters.
    func grant(_ need: AccessNeed, _ head: () -> HTTPRequest, through channel: any Channel) -> Grant? {
        let isRecorded = audit != nil && need == .scope(.read)
        guard !access.isOpen || isRecorded else { return Grant(who: nil) }
        guard let peer = try? RequestOrigin(on: channel).peer else { return nil }
        // Nobody is named then but by his certificate.
        if access.isOpen, access.forwarders == nil, peer.certificateCommonName == nil { return Grant(who: nil) }
        let head = head()
        let credentials = Credentials(head.headerFields, peer, access.forwarders)
        guard !access.ignoresIdentity(credentials), let path = try? Self.normal(head.path ?? "") else { return nil }
        let decision = access.decide(need, path, credentials)
        return decision.refusal == nil ? Grant(who: decision.principal) : nil
    }
}

/// That a request may be done.
struct Grant {
    /// `nil` where nobody is named, or it does not matter.
    let who: Principal?
}

extension Request {
    fileprivate var hasBody: Bool {
        headers.contains(.transferEncoding) || headers[.contentLength].map { $0 != "0" } ?? false
    }
}
