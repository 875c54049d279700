import Glibc
import TestSupport
import Testing

@testable import Settings

@Suite("faults of a configuration")
struct FaultTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let yaml: String
        let faults: [String]

        init(_ yaml: String, _ faults: String...) { (self.yaml, self.faults) = (yaml, faults) }
        var testDescription: String { yaml }
    }

    private static let listener = "listeners:\n- role: interactions\n  address: 127.0.0.1:80\n"
    private static let roles = "interactions, user-metadata, webhead, admin"

    @Test(
        "each is told with its place, and with what is allowed",
        arguments: [
            Case("", ""), Case("# nothing\n", ""),
            Case("- a\n", "F:1:1: is a list, not a mapping of settings"),
            Case("listners: []\n", "F:1:1: listners: is no setting; did you mean listeners?"),
            Case(
                "colour: red\n",
                "F:1:1: colour: is no setting; known here: country_database, db_uri, http_server, key_file, keys, "
                    + "limits, listeners, maintain, streams, threads, tokens, webhead"),
            Case("threads: many\n", "F:1:10: threads: 'many' is not a whole number from 1 to 256"),
            Case("threads: \"4\"\n", "F:1:10: threads: is the text '4', not a whole number from 1 to 256"),
            Case("threads:\n", "F:1:9: threads: is empty, not a whole number from 1 to 256"),
            Case("threads: [1]\n", "F:1:10: threads: is a list, not a whole number from 1 to 256"),
            Case("threads: 257\n", "F:1:10: threads: '257' is not a whole number from 1 to 256"),
            Case("threads: -1\n", "F:1:10: threads: '-1' is not a whole number from 1 to 256"),
            Case(
                "threads: 18446744073709551617\n",
                "F:1:10: threads: '18446744073709551617' is not a whole number from 1 to 256"),
            Case("limits: 5\n", "F:1:9: limits: is '5', not a mapping of settings"),
            Case("listeners: {}\n", "F:1:12: listeners: is a mapping, not a list"),
            Case("listeners: []\n", "F:1:12: listeners: is an empty list"),
            Case("maintain: {at: []}\n", "F:1:16: maintain.at: is an empty list"),
            Case(
                "limits: {body_bytes: 1KiB, header_bytes: 2MiB, idle_time: 5}\n",
                "F:1:42: limits.header_bytes: '2MiB' is not a size from 1KiB to 1MiB, such as 65536, 256KiB or 1GiB",
                "F:1:59: limits.idle_time: '5' is not a time from 100ms to 1h, such as 30s, 10m, 12h or 90d"),
            Case(
                "listeners:\n- name: a b\n  role: reader\n  adress: x\n  insecure: yes\n",
                "F:2:3: listeners[0].address: is missing; it is an address, such as 127.0.0.1:8080 or [::1]:8080",
                "F:2:9: listeners[0].name: 'a b' is not a name of 1 to 64 letters, digits, '-', '_' and '.'",
                "F:3:9: listeners[0].role: 'reader' is not one of \(roles)",
                "F:4:3: listeners[0].adress: is no setting; did you mean address?",
                "F:5:13: listeners[0].insecure: 'yes' is not true or false"),
            Case(
                listener + "- role: interactions\n  address: 127.0.0.1:80\n",
                "F:4:3: listeners[1].name: the name 'interactions' is taken by listeners[0].name",
                "F:5:12: listeners[1].address: the address '127.0.0.1:80' is taken by listeners[0].address"),
            Case(
                "listeners:\n- role: interactions\n  address: 0.0.0.0:80\n",
                "F:3:12: listeners[0].address: 0.0.0.0:80 can be reached from other machines, by anybody: set tls.ca, "
                    + "tokens: required, or insecure: true (--insecure)"),
            Case(listener + "  tls: {cert: @/cert.pem}\n", "F:4:3: listeners[0].tls.key: is missing; it is a path"),
            Case(
                listener + "  tls: {cert: @/none.pem, key: @/open.pem, client_auth: sometimes}\n",
                "F:4:15: listeners[0].tls.cert: @/none.pem cannot be read: No such file or directory",
                "F:4:KEY: listeners[0].tls.key: @/open.pem has the mode 0644; only its owner may use it: chmod 600",
                "F:4:AUTH: listeners[0].tls.client_auth: 'sometimes' is not one of required, optional"),
            Case(
                listener + "  tls:\n    cert: @/cert.pem\n    key: @/key.pem\n    client_auth: required\n",
                "F:7:5: listeners[0].tls.client_auth: needs ca"),
            Case(
                listener + "  tls:\n    cert: @/\n    key: $CREDENTIALS_DIRECTORY/key\n",
                "F:5:11: listeners[0].tls.cert: @/ is no file",
                "F:6:10: listeners[0].tls.key: '$CREDENTIALS_DIRECTORY/key' needs $CREDENTIALS_DIRECTORY, which systemd "
                    + "sets for a unit's credentials"),
            Case(
                listener + "  acl:\n  - path: /wsapi/(\n    cn: .*\n  - {cn: a}\n  - any\n",
                "F:5:11: listeners[0].acl[0].path: '/wsapi/(' is no regular expression: it cannot be compiled",
                "F:7:5: listeners[0].acl[1].path: is missing; it is a regular expression",
                "F:8:5: listeners[0].acl[2]: is 'any', not a mapping of settings"),
            Case(
                listener + "  acl: {allowed: []}\n", "F:4:3: listeners[0].acl.allow: is missing; it is a list of rules",
                "F:4:9: listeners[0].acl.allowed: is no setting; did you mean allow?"),
            Case(
                listener + "  identity_header: X-User\n",
                "F:4:3: listeners[0].identity_header: needs trusted_forwarders: from anybody else it is not believed"),
            Case(
                listener + "  identity_header: 'X User'\n  trusted_forwarders: [10.0.0.1/8, 10.0.0.0/8, ten]\n",
                "F:4:20: listeners[0].identity_header: 'X User' is not the name of a header field",
                "F:5:24: listeners[0].trusted_forwarders[0]: '10.0.0.1/8' is not an address or a network, such as 10.1.2.3, "
                    + "10.0.0.0/8 or fd00::/8",
                "F:5:48: listeners[0].trusted_forwarders[2]: 'ten' is not an address or a network, such as 10.1.2.3, "
                    + "10.0.0.0/8 or fd00::/8"),
            Case("http_server: {}\n", "F:1:1: db_uri: is missing; it is the path of the user metadata"),
            Case(
                "db_uri: /a\n" + listener,
                "F:1:9: db_uri: is served by nothing; it needs http_server, or a listener with role: user-metadata"),
            Case(
                "db_uri: /a\nhttp_server: {request_timeout: soon, acl: []}\n",
                "F:2:32: http_server.request_timeout: 'soon' is not a number of seconds, or a time from 1s to 1h, such as "
                    + "30s, 10m, 12h or 90d",
                "F:2:38: http_server.acl: is no setting; known here: address, identity_header, insecure, limits, "
                    + "max_inflight_requests, request_timeout, tls, tokens, trusted_forwarders"),
            Case(
                "streams: {interactions: {resolution: 7m, policy: {max_age: 0d}}}\n",
                "F:1:38: streams.interactions.resolution: '7m' is not a time that divides 24h, such as 1ms, 30s, 10m or 1h",
                "F:1:60: streams.interactions.policy.max_age: '0d' is not a time from 1ms to 36525d, such as 30s, 10m, 12h "
                    + "or 90d"),
            Case(
                "streams: {interactions: {policy: never}}\n",
                "F:1:34: streams.interactions.policy: is 'never', not forever, or a mapping with max_age, max_bytes or "
                    + "min_free"),
            Case(
                "streams: {interactions: {policy: {}}}\n",
                "F:1:26: streams.interactions.policy: names no limit; write forever where none is meant"),
            Case("streams: {logins: {}}\n", "F:1:11: streams.logins.path: is missing; it is a path, as db_uri is"),
            Case("limits: {burst_per_client: 5}\n", "F:1:10: limits.burst_per_client: needs rate_per_client"),
            Case("maintain: {}\n", "F:1:1: maintain: needs at or every"),
            Case("maintain: {at: ['03:00'], every: 1h}\n", "F:1:1: maintain: has both at and every; keep one"),
            Case(
                "maintain: {at: ['3:00', 24:00]}\n",
                "F:1:17: maintain.at[0]: '3:00' is not a time of day, UTC, from 00:00 to 23:59",
                "F:1:25: maintain.at[1]: '24:00' is not a time of day, UTC, from 00:00 to 23:59"),
            Case(
                "maintain: {every: 5ms}\n",
                "F:1:19: maintain.every: '5ms' is not a time from 1s to 30d, such as 30s, 10m, 12h or 90d"),
            Case(
                "tokens: [{name: a, sha256: 12, scopes: [write]}]\n",
                "F:1:28: tokens[0].sha256: the value is not a SHA-256, in 64 hexadecimal digits",
                "F:1:41: tokens[0].scopes[0]: 'write' is not one of ingest, read, admin"),
            Case(
                "tokens: [{name: a, sha256: \(hash)}]\n",
                "F:1:10: tokens[0].scopes: is missing; it is a list of ingest, read, admin"),
            Case(
                "tokens:\n- {name: a, sha256: \(hash), scopes: [read]}\n- {name: b, sha256: \(hash.uppercased()), scopes: [read]}\n",
                "F:3:21: tokens[1].sha256: is the same as tokens[0].sha256"),
        ])
    func fault(_ sample: Case) throws {
        let text = try ConfigurationText(sample.yaml)
        let wanted = sample.faults.filter { !$0.isEmpty }
        // The columns behind a path depend on where the test's directory is.
        let found = text.faults()
        #expect(found.count == wanted.count, "\(found)")
        for (found, wanted) in zip(found, wanted) { #expect(Self.anonymous(found) == Self.anonymous(wanted)) }
    }

    private static let hash = String(repeating: "0a", count: 32)

    private static func anonymous(_ line: String) -> String {
        line.contains("@/open.pem") || line.contains("sometimes")
            ? line.replacing(/^F:4:\w+/, with: "F:4:_") : line
    }

    @Test("20 are told at once, in the order of the file, and the rest are counted")
    func bounded() throws {
        let text = try ConfigurationText((1...25).map { "unknown\($0): 1\n" }.joined())
        let faults = text.faults()
        #expect(faults.count == 21)
        #expect(faults.first?.hasPrefix("F:1:1: unknown1: is no setting") == true)
        #expect(faults[19].hasPrefix("F:20:1: unknown20: is no setting"))
        #expect(faults.last == "5 more")
    }

    @Test("a file that is asked for must be there, the standard one need not")
    func missing() throws {
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/none.yml"
        for (file, environment) in [(path, [:]), (nil, ["DAYBOOK_CONFIG": path])] {
            let error = #expect(throws: ConfigurationError.self) {
                try Configuration.load(file, Overrides(environment: environment), .sample) { _ in nil }
            }
            #expect(error?.isMissing == true)
            #expect(error?.faults.map(\.description) == ["\(path): cannot be read: No such file or directory"])
        }
        let error = #expect(throws: ConfigurationError.self) {
            try Configuration.load(directory.path, Overrides(), .sample) { _ in nil }
        }
        #expect(error?.faults.map(\.description) == ["\(directory.path): is no file"])
    }

    @Test(
        "user metadata and interactions never share a directory, also by way of links",
        arguments: [
            ("@/a", "@/a"), ("@/a", "@/a/"), ("@/a/b", "@/a"), ("@/a", "@/a/b"), ("@/a", "@/x/../a/./b"),
            ("@/link/b", "@/a"),
            ("@/a", "@/link"), ("@/a", "@/link/not/yet"),
        ])
    func apart(data: String, metadata: String) throws {
        let text = try ConfigurationText(
            """
            db_uri: \(metadata)
            listeners: [{role: interactions, address: 127.0.0.1:0}, {role: user-metadata, address: 127.0.0.1:0}]
            streams:
              interactions:
                path: \(data)

            """)
        let root = text.directory.path
        for path in ["a", "a/b", "x"] { mkdir("\(root)/\(path)", 0o755) }
        symlink("\(root)/a", "\(root)/link")
        #expect(
            text.faults() == [
                "F:5:11: streams.interactions.path: '\(data)' and the user metadata in '\(metadata)' overlap; keep them in "
                    + "separate directories"
            ])
    }

    @Test("directories beside one another are no overlap")
    func beside() throws {
        let text = try ConfigurationText(
            "db_uri: @/data-2\nhttp_server: {}\nlisteners: [{role: interactions, address: 127.0.0.1:0, data: @/data}]\n"
        )
        #expect(text.faults().isEmpty)
    }
}
