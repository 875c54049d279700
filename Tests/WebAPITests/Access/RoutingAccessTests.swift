import Testing

@testable import WebAPI

@Suite("routing and access see one path (AC1)")
struct RoutingAccessTests {
    /// Whoever may ask for nothing but one path gets what that path is for, however he spells what he asks.
    @Test("no spelling gets past an acl", arguments: 0..<2_000 as Range<UInt64>)
    func attacks(seed: UInt64) throws {
        var tricks = PathTricks(seed: seed)
        let routes: [(path: String, route: Route)] = [
            ("/wsapi/interaction_data", .readEvents), ("/wsapi/interaction_data/count", .countEvents),
            ("/wsapi/ping", .ping), ("/openapi.json", .describe),
        ]
        for (allowed, route) in routes {
            let rules = try AccessRules([AccessEntry(path: Pattern.quoted(allowed), commonName: "a")])
            for (target, _) in routes {
                let attack = tricks.attack(on: target)
                guard let path = try? NormalPath(attack) else { continue }
                let isRouted = (try? Route(.get, path: path, role: .interactions)) == route
                #expect((rules.entry(for: path, name: "a") != nil) == isRouted, "\(attack) with \(allowed)")
            }
        }
    }

    @Test("a detour leads where the path leads", arguments: 0..<100 as Range<UInt64>)
    func detours(seed: UInt64) throws {
        var tricks = PathTricks(seed: seed)
        for (path, route) in Route.paths {
            let spelling = tricks.spelling(of: path)
            let normal = try NormalPath(spelling)
            #expect(try Route(.get, path: normal, role: .interactions) == route, "\(spelling)")
        }
    }

    @Test("what each route needs")
    func needs() throws {
        let table: [(Route, AccessNeed)] = [
            (.storeEvents, .scope(.ingest)), (.readEvents, .scope(.read)), (.countEvents, .scope(.read)),
            (.readLastEvent, .scope(.read)), (.followChanges, .scope(.read)), (.ping, .nothing), (.isAlive, .nothing),
            (.isReady, .nothing), (.metrics, .scope(.admin)), (.version, .anything), (.describe, .anything),
            (.options("GET"), .anything),
        ]
        for (route, need) in table { #expect(route.need == need, "\(route)") }
    }
}

extension Pattern {
    /// Matches the text itself.
    fileprivate static func quoted(_ text: String) -> String { text.replacing(".", with: "\\.") }
}
