import CSQLite
import TestSupport
import Testing

@testable import daybook

@Suite("imports of user metadata")
struct UserImportTests {
    private static let schema = """
        CREATE TABLE "user log" ("User_Name" TEXT, user TEXT, log_type TEXT, deviceID TEXT, ip TEXT, time, odd TEXT);
        CREATE TABLE known_devices (id TEXT, user TEXT, user_agent TEXT, first_seen, last_seen);
        CREATE TABLE lastlogin (username TEXT, service TEXT, timestamp);
        CREATE TABLE other (a);

        """

    private static func database(_ sql: String, at path: String) throws {
        var database: OpaquePointer?
        #expect(sqlite3_open(path, &database) == SQLITE_OK)
        #expect(sqlite3_exec(database, sql, nil, nil, nil) == SQLITE_OK, "\(String(cString: sqlite3_errmsg(database)))")
        sqlite3_close(database)
    }

    private static let rows = """
        INSERT INTO "user log" ("User_Name", log_type, deviceID, ip, time) VALUES
            ('ann', 'login', 'a', '203.0.113.7', '2026-01-02 03:04:05'), ('ann', NULL, 'a', NULL, 1767323045),
            ('bob', 'logout', NULL, NULL, 1767323045000.0);
        INSERT INTO known_devices VALUES ('a', 'ann', 'Agent', 1, 2), ('a', 'ann', 'Agent', 1, 2),
            ('t', 'bob', 'Tablet', '2025-01-01', '2026-01-01 00:00:00.5 +0100 CET m=+1.0');
        INSERT INTO lastlogin VALUES ('ann', 'imap', '2026-01-02T03:04:05Z'), ('bob', 'smtp', 1735689600);

        """

    @Test("tables and columns are found by their names, and stored once", arguments: [false, true])
    func once(isServed: Bool) async throws {
        let directory = try await UserStoreDirectory()
        let file = "\(directory.path)/old.sqlite"
        try Self.database(Self.schema + Self.rows, at: file)
        if isServed {
            try await directory.served { try await Self.check(directory, file) }
        } else {
            try await Self.check(directory, file)
        }
    }

    private static func check(_ directory: UserStoreDirectory, _ file: String) async throws {
        let dry = try await directory.run("import", "usermetadb", file, "--dry-run")
        #expect(dry.status == 0)
        for name in ["table other", "column user log.user", "column user log.odd"] {
            #expect(dry.talk.contains("nothing is taken of \(name)\n"), "\(dry.talk)")
        }
        #expect(dry.output.hasPrefix("user log: 3 rows would be imported\n"))
        #expect(try await directory.run("users", "show", "ann").status == 66)
        let first = try await directory.run("import", "usermetadb", file)
        #expect(first.status == 0)
        #expect(
            first.output == """
                user log: 3 rows
                known_devices, first_seen: 1 rows
                known_devices, last_seen: 1 rows
                lastlogin: 2 rows

                """)
        let again = try await directory.run("import", "usermetadb", file)
        #expect(again.status == 0 && again.output.contains("user log: 3 rows, 3 were stored before\n"))
        let ann = try await directory.run("users", "show", "ann", "--json").output
        #expect(ann.contains(#""num_logins": 2, "zones": []"#) && ann.contains("Agent"), "\(ann)")
        #expect(ann.contains(#"{"service": "imap", "last": "2026-01-02T03:00:00Z"}"#))
        let bob = try await directory.run("users", "devices", "bob", "--json").output
        let seen = #""first_seen": "2025-01-01T00:00:00Z", "last_seen": "2025-12-31T23:00:00Z""#
        #expect(bob.contains(seen), "\(bob)")
        #expect(try await directory.run("users", "logs", "bob").output.split(separator: "\n").count == 3)
    }

    @Test(
        "a bad row is named, and nothing is stored",
        arguments: [
            ("('zoe', 'login', NULL, NULL, 'soon')", "user log, row 4: the field timestamp must be a moment"),
            ("(NULL, 'login', NULL, NULL, 1)", "user log, row 4: the field username is missing"),
            ("('zoe', 'login', NULL, NULL, -1)", "user log, row 4: the timestamp is not from 1970 to 9999"),
            ("(x'ff', 'login', NULL, NULL, 1)", "user log, row 4: username is no text"),
        ])
    func bad(row: String, reason: String) async throws {
        let directory = try await UserStoreDirectory()
        let file = "\(directory.path)/old.sqlite"
        let insert = #"INSERT INTO "user log" ("User_Name", log_type, deviceID, ip, time) VALUES \#(row);"#
        try Self.database(Self.schema + Self.rows + insert, at: file)
        let run = try await directory.run("import", "usermetadb", file)
        #expect(run.status == 65 && run.talk.contains(reason) && run.output.isEmpty, "\(run.talk)")
        #expect(try await directory.run("users", "show", "ann").status == 66)
    }

    @Test("what is no database, or holds nothing of the kind, is told")
    func none() async throws {
        let directory = try await UserStoreDirectory()
        let text = "no database, though it is long enough to be taken for one"
        try WholeFile.write(Array(text.utf8), to: "\(directory.path)/no")
        try Self.database("CREATE TABLE other (a)", at: "\(directory.path)/other")
        #expect(try await directory.run("import", "usermetadb", "\(directory.path)/no").status == 65)
        #expect(try await directory.run("import", "usermetadb", "\(directory.path)/none").status == 66)
        let other = try await directory.run("import", "usermetadb", "\(directory.path)/other")
        #expect(other.status == 65 && other.talk.contains("no table of logins, devices or last logins was found"))
    }

    @Test(
        "times as programs leave them",
        arguments: [
            ("2018-01-02 03:04:05", "2018-01-02 03:04:05Z"), ("2018-01-02", "2018-01-02T00:00:00Z"),
            ("2018-01-02T03:04:05Z", "2018-01-02T03:04:05Z"),
            ("2018-01-02 03:04:05.678+01:00", "2018-01-02 03:04:05.678+01:00"),
            ("2018-01-02 03:04:05.6 -0730 PST m=+1.2", "2018-01-02 03:04:05.6-07:30"),
            ("2018-01-02 03:04:05 +0000 UTC", "2018-01-02 03:04:05+00:00"), ("last summer", "last summer"),
            ("2018-01-02 03:04:05 or so", "2018-01-02 03:04:05 or so"),
        ])
    func times(text: String, moment: String) { #expect(SQLiteTime.rfc3339(text) == moment) }
}
