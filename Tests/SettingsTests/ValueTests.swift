import Glibc
import TestSupport
import Testing

@testable import Settings

@Suite("values of a configuration")
struct ValueTests {
    @Test("without a file: interactions of ./data on 127.0.0.1:8080, and nothing else")
    func standard() throws {
        let configuration = try ConfigurationText("").load()
        #expect(configuration.listeners.map(\.role) == [.interactions])
        let listener = try #require(configuration.listeners.first)
        #expect(listener.address == Address(host: "127.0.0.1", port: 8080) && listener.data == "./data")
        #expect(listener.tls == nil && listener.rules == nil && listener.tokens == .optional && !listener.isInsecure)
        #expect(listener.limits == Configuration.Defaults.sample.limits)
        #expect(configuration.interactions.policy == nil && configuration.interactions.resolution == nil)
        #expect(configuration.logins == nil && configuration.maintenance == nil && configuration.tokens.isEmpty)
        #expect(configuration.settings.allSatisfy { $0.origin == .standard })
    }

    @Test(
        "the attributes of earlier user-metadata servers hold, acl in both shapes",
        arguments: [
            "[{path: '^/api/.*$', cn: web.*}, {path: /, cn: a}]",
            "{allow: [{path: '^/api/.*$', cn: web.*}, {path: /, cn: a}]}",
        ])
    func earlier(rules: String) throws {
        let text = try ConfigurationText(
            """
            db_uri: /var/lib/users
            http_server:
              tls:
                cert: @/cert.pem
                key: @/key.pem
                ca: @/ca.pem
                acl: \(rules)
              max_inflight_requests: 7
              request_timeout: 30
              trusted_forwarders: [10.0.0.0/8, "::1"]

            """)
        let configuration = try text.load()
        #expect(configuration.listeners.count == 1)
        let listener = try #require(configuration.listeners.first)
        #expect(listener.role == .userMetadata && listener.data == "/var/lib/users" && listener.path == "http_server")
        #expect(listener.address == Address(host: "127.0.0.1", port: 5005))
        #expect(
            listener.rules == [
                AccessRule(path: "^/api/.*$", commonName: "web.*"), AccessRule(path: "/", commonName: "a"),
            ])
        let root = text.directory.path
        #expect(
            listener.tls
                == TLSFiles(
                    certificate: "\(root)/cert.pem", key: "\(root)/key.pem", authority: "\(root)/ca.pem",
                    clientAuth: .required))
        #expect(listener.limits.inFlight == 7 && listener.requestTimeout == 30_000)
        #expect(listener.trustedForwarders.map(\.description) == ["10.0.0.0/8", "::1"])
        let moved = try text.load(flags: ["addr": "127.0.0.1:0"])
        #expect(moved.listeners.first?.address.port == 0)
    }

    @Test("what listeners, streams, tokens and the schedule say")
    func whole() throws {
        let hash = String(repeating: "0A", count: 32)
        let configuration = try ConfigurationText(
            """
            threads: 3
            limits: {connections: 5, scan_duration: 1h, rate_per_client: 9}
            streams:
              interactions:
                path: /srv/events
                resolution: 1h
                seal_bytes: 1GiB
                seal_after: 2h
                reserve: 1MiB
                policy: {max_age: 90d, min_free: 5GiB}
              logins: {path: /srv/users, policy: forever}
            listeners:
            - {name: public, role: interactions, address: "[::]:443", tokens: required, limits: {connections: 2}}
            - {role: interactions, address: "127.0.0.1:0", data: /srv/other}
            - {role: admin, address: "10.0.0.1:81", insecure: true, acl: [], trusted_forwarders: [10.0.0.2],
               identity_header: X-User}
            tokens:
            - {name: collector, sha256: \(hash), scopes: [ingest, read], streams: [interactions]}
            - {name: root, sha256: \(hash.dropLast())b, scopes: [admin]}
            maintain: {at: [15:30, "03:00", 15:30]}

            """
        ).load()
        #expect(configuration.threads == 3)
        #expect(configuration.listeners.map(\.name) == ["public", "interactions", "admin"])
        #expect(configuration.listeners.map(\.data) == ["/srv/events", "/srv/other", "/srv/events"])
        #expect(configuration.listeners.map(\.limits.connections) == [2, 5, 5])
        #expect(configuration.listeners.map(\.limits.ratePerClient) == [9, 9, 9])
        #expect(configuration.listeners.map(\.limits.scanDuration) == [3_600_000, 3_600_000, 3_600_000])
        #expect(configuration.listeners.map(\.tokens) == [.required, .optional, .optional])
        #expect(configuration.listeners[2].rules == [] && configuration.listeners[2].identityHeader == "X-User")
        let stream = configuration.interactions
        #expect(stream.resolution == 3_600_000 && stream.sealBytes == 1 << 30 && stream.sealMilliseconds == 7_200_000)
        #expect(stream.reserveBytes == 1 << 20)
        #expect(stream.policy == .init(maxAgeMilliseconds: 90 * 86_400_000, maxBytes: nil, minFreeBytes: 5 << 30))
        #expect(configuration.logins?.policy == .init(maxAgeMilliseconds: nil, maxBytes: nil, minFreeBytes: nil))
        #expect(configuration.tokens.map(\.sha256) == [hash.lowercased(), hash.lowercased().dropLast() + "b"])
        #expect(configuration.tokens.map(\.streams) == [[.interactions], nil])
        #expect(configuration.maintenance == .daily([180, 930]))
    }

    @Test("a flag is stronger than a variable, that than the file, and that than the default, each with its source")
    func precedence() throws {
        let text = try ConfigurationText("streams:\n  interactions: {path: /file, seal_bytes: 1MiB}\n")
        let environment = ["DAYBOOK_DATA": "/variable", "DAYBOOK_SEAL_BYTES": "2MiB", "DAYBOOK_LIMITS_IN_FLIGHT": "4"]
        let path = "streams.interactions.path"
        let plain = try text.load()
        #expect(plain.interactions.data == "/file")
        #expect(plain.origin(path) == .file(Place(file: text.file, line: 2, column: 24)))
        #expect(plain.origin("limits.in_flight") == .standard)
        let varied = try text.load(environment: environment)
        #expect(varied.interactions.data == "/variable" && varied.interactions.sealBytes == 2 << 20)
        #expect(varied.origin(path) == .environment("DAYBOOK_DATA") && varied.listeners[0].limits.inFlight == 4)
        #expect(varied.origin("limits.in_flight") == .environment("DAYBOOK_LIMITS_IN_FLIGHT"))
        let flagged = try text.load(flags: ["data": "/flag"], environment: environment)
        #expect(flagged.interactions.data == "/flag" && flagged.origin(path) == .flag("--data"))
        #expect(flagged.listeners[0].data == "/flag")
    }

    @Test("a fault in a flag or a variable is named by it, and a slip in a variable's name is told")
    func overrides() throws {
        let text = try ConfigurationText("threads: 2\n")
        #expect(
            text.faults(flags: ["addr": "here"], environment: ["DAYBOOK_THREADS": "none"]) == [
                "DAYBOOK_THREADS: threads: 'none' is not a whole number from 1 to 256",
                "--addr: listeners[0].address: 'here' is not an address, such as 127.0.0.1:8080 or [::1]:8080",
            ])
        let notes = try text.load(environment: ["DAYBOOK_ADRR": "x", "DAYBOOK_SERVICE_HOST": "y", "PATH": "z"]).notes
        #expect(notes == ["DAYBOOK_ADRR sets nothing; did you mean DAYBOOK_ADDR?"])
    }

    @Test("certificates of flags and variables are those of the only listener, and the parts join")
    func certificates() throws {
        let text = try ConfigurationText("")
        let root = text.directory.path
        let flags = ["tls-cert": "\(root)/cert.pem", "tls-key": "\(root)/open.pem"]
        // What a flag names is looked at by who uses it.
        let files = try text.load(flags: flags).listeners.first?.tls
        #expect(files?.key == "\(root)/open.pem" && files?.authority == nil)
        let variables = ["DAYBOOK_TLS_CERT": "\(root)/cert.pem", "DAYBOOK_TLS_KEY": "\(root)/open.pem"]
        #expect(
            text.faults(environment: variables) == [
                "DAYBOOK_TLS_KEY: listeners[0].tls.key: @/open.pem has the mode 0644; only its owner may use it: chmod 600"
            ])
        let one = try ConfigurationText(
            "listeners: [{role: interactions, address: 127.0.0.1:0, tls: {cert: @/cert.pem, key: @/key.pem}}]\n")
        #expect(try one.load(flags: ["tls-ca": "/ca"]).listeners.first?.tls?.authority == "/ca")
    }

    @Test("the address of a flag is for the only listener")
    func several() throws {
        let entries = (1...2).map { "- {name: l\($0), role: interactions, address: 127.0.0.1:0}\n" }
        let message = "is for the only listener, and there are others; say it in the file"
        let two = try ConfigurationText("listeners:\n" + entries.joined())
        #expect(two.faults(flags: ["addr": "127.0.0.1:1"]) == ["--addr: \(message)"])
        #expect(two.faults(environment: ["DAYBOOK_ADDR": "127.0.0.1:1"]) == ["DAYBOOK_ADDR: \(message)"])
        let one = try ConfigurationText("listeners:\n" + entries[0]).load(flags: ["addr": "127.0.0.1:1"])
        #expect(one.listeners.map(\.address.port) == [1])
    }

    @Test(
        "only a guarded listener is reached from other machines",
        arguments: [
            ("127.9.9.9:1", true), ("[::1]:1", true), ("localhost:1", true), ("[::ffff:127.0.0.1]:1", true),
            ("0.0.0.0:1", false), ("[::]:1", false), ("10.0.0.1:1", false), ("events.example.org:1", false),
        ])
    func loopback(address: String, isLoopback: Bool) throws {
        #expect(try #require(Address(address)).isLoopback == isLoopback)
        let text = try ConfigurationText("")
        #expect(text.faults(flags: ["addr": address]).isEmpty == isLoopback)
        #expect(text.faults(flags: ["addr": address, "insecure": "true"]).isEmpty)
        let head = "listeners: [{role: interactions, address: '\(address)', "
        let files = "tls: {cert: @/cert.pem, key: @/key.pem"
        #expect(try ConfigurationText(head + "tokens: required}]\n").faults().isEmpty)
        #expect(try ConfigurationText(head + files + ", ca: @/ca.pem}}]\n").faults().isEmpty)
        #expect(try ConfigurationText(head + files + "}}]\n").faults().isEmpty == isLoopback)
        let optional = head + files + ", ca: @/ca.pem, client_auth: optional}}]\n"
        #expect(try ConfigurationText(optional).faults().isEmpty == isLoopback)
    }

    @Test("the example is what it says, and names every setting")
    func example() throws {
        let tools = #filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" } + "/tools"
        let bytes = try #require(WholeFile.read("\(tools)/config/daybook.yml"))
        let example = String(decoding: bytes, as: UTF8.self)
        let text = try ConfigurationText(example.replacing("/etc/daybook/", with: "@/"))
        #expect(text.faults().isEmpty)
        // What is commented out can be taken in; of at and every one.
        let uncommented = example.replacing("#  every: 6h\n", with: "").split(separator: "\n").map { line in
            line.hasPrefix("#") && line.prefixMatch(of: /# \S/) == nil ? line.dropFirst() : line
        }
        let whole = try ConfigurationText(uncommented.joined(separator: "\n").replacing("/etc/daybook/", with: "@/"))
        #expect(whole.faults().isEmpty)
        let told = try whole.load().settings.filter { $0.origin != .standard }.map(\.name)
        let names = Set(told.map { $0.replacing(/\[\d+\]/, with: "") })
        for name in try text.load().settings.map(\.name) + [
            "keys.subjects", "tokens.sha256", "listeners.tls.client_auth",
        ] {
            #expect(names.contains(name.replacing(/\[\d+\]/, with: "")), "\(name) is not in the example")
        }
    }
}
