import Testing

@testable import WebAPI

@Suite("acl (AC3)")
struct AccessRulesTests {
    private static let rules = [
        AccessEntry(path: "/wsapi/interaction_data(/.*)?", commonName: "reader|reporter-[0-9]+"),
        AccessEntry(path: "/metrics", commonName: ".*"), AccessEntry(path: ".*", commonName: "root"),
    ]

    @Test(
        "the first entry that matches path and name lets a request pass",
        arguments: [
            ("/wsapi/interaction_data", "reader", 0), ("/wsapi/interaction_data/count", "reporter-12", 0),
            ("/wsapi/interaction_data", "root", 2), ("/metrics", "anybody", 1), ("/metrics", "", 1),
            ("/x", "root", 2), ("/wsapi/interaction_datax", "reader", nil),
            ("/x/wsapi/interaction_data", "reader", nil),
            ("/wsapi/interaction_data", "areader", nil), ("/wsapi/interaction_data", "reader2", nil),
            ("/wsapi/interaction_data", "Reader", nil), ("/wsapi/interaction_data", "reporter-", nil),
            ("/metricsx", "x", nil), ("/WSAPI/interaction_data", "reader", nil),
            ("/metrics", String(repeating: "x", count: 257), nil),
        ] as [(String, String, Int?)])
    func entries(path: String, name: String, entry: Int?) throws {
        let rules = try AccessRules(Self.rules)
        for _ in 0..<2 { #expect(rules.entry(for: try NormalPath(path), name: name) == entry) }
    }

    @Test("more questions than are remembered have the answers that they had")
    func forgotten() throws {
        let rules = try AccessRules(Self.rules)
        let path = try NormalPath("/wsapi/interaction_data")
        for number in 0..<3_000 {
            #expect(rules.entry(for: path, name: "reporter-\(number)") == 0)
            #expect(rules.entry(for: path, name: "reporter-\(number)x") == nil)
        }
    }

    @Test("an empty list refuses everybody")
    func empty() throws {
        #expect(try AccessRules([]).entry(for: try NormalPath("/"), name: "root") == nil)
    }

    @Test(
        "a fault names entry, member and place",
        arguments: [
            (
                [AccessEntry(path: "/", commonName: "a"), AccessEntry(path: "/(", commonName: "a")],
                "acl entry 2, path at character 3: a group has no end"
            ),
            ([AccessEntry(path: "/", commonName: "*")], "acl entry 1, cn at character 1: there is nothing to repeat"),
            (
                [AccessEntry](repeating: AccessEntry(path: "/", commonName: "a"), count: 1_001),
                "acl: it has more than 1000 entries"
            ),
        ])
    func faults(entries: [AccessEntry], text: String) {
        #expect { try AccessRules(entries) } throws: { "\($0)" == text }
    }

    @Test("a regular expression can be looked at alone")
    func pattern() {
        #expect(AccessRules.fault(in: "/api/.*") == nil)
        #expect(AccessRules.fault(in: "/api/(") == PatternFault(offset: 6, reason: "a group has no end"))
    }
}
