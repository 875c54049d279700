import TestSupport
import Testing

@testable import Settings

@Suite("a webhead in a configuration")
struct WebheadSettingsTests {
    private static let listener = "listeners:\n- {role: webhead, address: \"0.0.0.0:80\"}\n"
    private static let storage = "  storage: {servers: [\"http://10.0.0.5:8080\"]}\n"

    @Test("with storage servers alone the rest is as without a file")
    func standard() throws {
        let configuration = try ConfigurationText(Self.listener + "webhead:\n" + Self.storage).load()
        let webhead = try #require(configuration.webhead)
        #expect(configuration.listeners.map(\.data) == ["./spool"])
        #expect(webhead.data == "./spool" && webhead.resolution == nil && webhead.sessionKeys == nil)
        #expect(webhead.maxBytes == 10 << 30 && webhead.maxAge == nil && webhead.drainTime == 30_000)
        #expect(webhead.browsers.origins.isEmpty && !webhead.browsers.isSecure && webhead.browsers.bodyBytes == 65_536)
        #expect(webhead.browsers.unknownFields == .pass && webhead.browsers.optOut == [.gpc, .dnt, .cookie])
        #expect(webhead.browsers.sampleRate == 1 && webhead.browsers.toldSampleRate == 1)
        #expect(webhead.storage.servers == ["http://10.0.0.5:8080"] && !webhead.storage.sendsForms)
        #expect(webhead.storage.coding == .lz4 && webhead.storage.token == nil && webhead.storage.key == nil)
        #expect(webhead.storage.batchEvents == 1_000 && webhead.storage.batchTime == 1_000)
        #expect(try ConfigurationText("").load().webhead == nil)
    }

    @Test("what a webhead says of its spool, browsers and storage servers")
    func whole() throws {
        let text = try ConfigurationText(
            Self.listener + """
                - {role: admin, address: "127.0.0.1:81", data: @/spool}
                webhead:
                  path: @/spool
                  resolution: 1h
                  max_bytes: 1GiB
                  max_age: 30d
                  session_keys_file: @/session.keys
                  drain_for: 5s
                  browsers:
                    origins: ["https://login.example.org", "http://localhost:3000"]
                    secure: true
                    body_bytes: 10KiB
                    unknown_fields: drop
                    sample_rate: 0.5
                    told_sample_rate: 0.25
                    told_sample_rates: {Chrome: 0.1, Firefox: 1}
                    opt_out: [cookie]
                  storage:
                    servers: ["https://a.internal/", "http://[::1]:8080"]
                    forms: true
                    coding: plain
                    batch_events: 10
                    batch_time: 20ms
                    token_file: @/storage.token
                    tls: {cert: @/cert.pem, key: @/key.pem, ca: @/ca.pem}

                """)
        let webhead = try #require(try text.load().webhead)
        let root = text.directory.path
        #expect(webhead.data == "\(root)/spool" && webhead.resolution == 3_600_000)
        #expect(webhead.maxBytes == 1 << 30 && webhead.maxAge == 30 * 86_400_000 && webhead.drainTime == 5_000)
        #expect(webhead.sessionKeys == "\(root)/session.keys")
        let browsers = webhead.browsers
        #expect(browsers.origins == ["https://login.example.org", "http://localhost:3000"] && browsers.isSecure)
        #expect(browsers.bodyBytes == 10_240 && browsers.unknownFields == .drop && browsers.optOut == [.cookie])
        #expect(browsers.sampleRate == 0.5 && browsers.toldSampleRate == 0.25)
        #expect(browsers.toldSampleRates == ["Chrome": 0.1, "Firefox": 1])
        let storage = webhead.storage
        #expect(storage.servers == ["https://a.internal", "http://[::1]:8080"] && storage.sendsForms)
        #expect(storage.coding == .plain && storage.batchEvents == 10 && storage.batchTime == 20)
        #expect(storage.token == "\(root)/storage.token" && storage.key == "\(root)/key.pem")
        #expect(storage.certificate == "\(root)/cert.pem" && storage.authority == "\(root)/ca.pem")
        let moved = try text.load(environment: ["DAYBOOK_WEBHEAD_BROWSERS_SECURE": "false"])
        #expect(moved.webhead?.browsers.isSecure == false)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let yaml: String
        let faults: [String]

        init(_ yaml: String, _ faults: String...) { (self.yaml, self.faults) = (yaml, faults) }
        var testDescription: String { yaml }
    }

    @Test(
        "what cannot be is told with its place",
        arguments: [
            Case(Self.listener, "F:2:3: webhead: is missing; listeners[0] is one"),
            Case(
                "webhead:\n" + Self.storage,
                "F:1:1: webhead: is served by nothing; it needs a listener with role: webhead"),
            Case(
                Self.listener + "webhead:\n  storage: {coding: lz4}\n",
                "F:4:3: webhead.storage.servers: is missing; it is a list of URLs, as http://10.0.0.5:8080"),
            Case(
                Self.listener + "webhead:\n  storage:\n"
                    + "    servers: [nowhere, \"http://\", \"http:///x\", \"http://a b\"]\n",
                "F:5:15: webhead.storage.servers[0]: 'nowhere' is not \(Self.url)",
                "F:5:24: webhead.storage.servers[1]: 'http://' is not \(Self.url)",
                "F:5:35: webhead.storage.servers[2]: 'http:///x' is not \(Self.url)",
                "F:5:48: webhead.storage.servers[3]: 'http://a b' is not \(Self.url)"),
            Case(
                Self.listener + "webhead:\n"
                    + "  storage: {servers: [\"http://a\", \"http://a/\"], tls: {key: @/open.pem}}\n",
                "F:4:13: webhead.storage.servers: names a server twice",
                "F:4:49: webhead.storage.tls: cert and key go together",
                "F:4:60: webhead.storage.tls.key: @/open.pem has the mode 0644; only its owner may use it: chmod 600"),
            Case(
                Self.listener + "webhead:\n  browsers: {origins: [\"https://a/b\"], sample_rate: 2, opt_out: [ip]}\n"
                    + Self.storage,
                "F:4:24: webhead.browsers.origins[0]: 'https://a/b' is not an origin, such as "
                    + "https://login.example.org",
                "F:4:53: webhead.browsers.sample_rate: '2' is not a number from 0 to 1",
                "F:4:66: webhead.browsers.opt_out[0]: 'ip' is not one of gpc, dnt, cookie"),
            Case(
                "listeners:\n- {role: webhead, address: \"0.0.0.0:80\", data: /b, acl: [], tokens: required}\n"
                    + "webhead:\n  path: /a\n" + Self.storage,
                "F:2:3: listeners[0].acl: is not for a webhead: browsers come without a name",
                "F:2:48: listeners[0].data: is not webhead.path, which is where the spool is",
                "F:2:69: listeners[0].tokens: is not for a webhead: browsers come without a name"),
            Case(
                Self.listener + "webhead:\n  path: ./data\n" + Self.storage,
                "F:4:9: webhead.path: './data' is that of the interactions; a spool has a directory of its own"),
            Case(
                "db_uri: /a\n" + Self.listener
                    + "- {role: user-metadata, address: \"127.0.0.1:1\"}\nwebhead:\n  path: /a/spool\n" + Self.storage,
                "F:6:9: webhead.path: '/a/spool' and the user metadata in '/a' overlap; keep them in separate "
                    + "directories"),
            Case(
                Self.listener + "webhead:\n  session_keys_file: @/open.pem\n" + Self.storage,
                "F:4:22: webhead.session_keys_file: @/open.pem has the mode 0644; only its owner may use it: chmod 600"
            ),
        ])
    func faults(its: Case) throws {
        #expect(try ConfigurationText(its.yaml).faults() == its.faults)
    }

    private static let url = "a URL, such as http://10.0.0.5:8080 or https://store1.internal"
}
