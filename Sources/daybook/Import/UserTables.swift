/// The tables of an earlier server's database, found by their names and those of their columns (SPEC UC6).
struct UserTables {
    /// Something to import, and the query whose columns are its fields.
    struct Part {
        let name: String
        let fields: [ImportedField]
        let query: String
        let isLastLogins: Bool
    }

    private(set) var parts: [Part] = []
    /// Tables and columns of which nothing is taken.
    private(set) var unmatched: [String] = []

    init(_ tables: [SQLiteFile.Table]) {
        let logs = Self.first(tables, ImportedField.entry, [.username, .timestamp]) {
            $0.contains("log") && !$0.contains("lastlogin")
        }
        let devices = Self.first(tables, ImportedField.device, [.username, .deviceID]) { $0.contains("device") }
        let last = Self.first(tables, ImportedField.lastLogin, [.username, .service, .timestamp]) {
            $0.contains("lastlogin")
        }
        if let logs { parts.append(Self.entries(logs, devices)) }
        if let devices { parts += Self.devicesWithoutEntries(devices, logs) }
        if let last { parts.append(Self.lastLogins(last)) }
        for table in tables {
            guard let match = [logs, devices, last].compactMap(\.self).first(where: { $0.table == table }) else {
                unmatched.append("table \(table.name)")
                continue
            }
            let used = Set(match.columns.values)
            unmatched += table.columns.filter { !used.contains($0) }.map { "column \(table.name).\($0)" }
        }
    }

    private struct Match {
        let table: SQLiteFile.Table
        let columns: [ImportedField: String]

        func name(_ field: ImportedField, of alias: String) -> String? {
            columns[field].map { "\(alias).\(SQLiteFile.name($0))" }
        }
    }

    private static func first(
        _ tables: [SQLiteFile.Table], _ fields: [ImportedField], _ required: [ImportedField],
        named isNamed: (String) -> Bool
    ) -> Match? {
        let matches = tables.filter { isNamed(ImportedField.plain($0.name)) }.map {
            Match(table: $0, columns: ImportedField.columns(fields, of: $0))
        }
        return matches.first { match in required.allSatisfy { match.columns[$0] != nil } }
    }

    /// What an entry does not say of its device, the table of devices does.
    private static func entries(_ logs: Match, _ devices: Match?) -> Part {
        var columns = ImportedField.entry.compactMap { field in logs.name(field, of: "l").map { (field, $0) } }
        var source = "\(SQLiteFile.name(logs.table.name)) AS l"
        if let devices, let id = logs.name(.deviceID, of: "l"), let user = logs.name(.username, of: "l"),
            let deviceID = devices.name(.deviceID, of: "d"), let deviceUser = devices.name(.username, of: "d")
        {
            // One row each, or an entry would come several times.
            source += " LEFT JOIN (SELECT * FROM \(SQLiteFile.name(devices.table.name)) AS d GROUP BY "
            source += "\(deviceUser), \(deviceID)) AS d ON \(deviceUser) = \(user) AND \(deviceID) = \(id)"
            for field in ImportedField.description where logs.columns[field] == nil {
                if let column = devices.name(field, of: "d") { columns.append((field, column)) }
            }
        }
        return part(logs.table.name, columns, source)
    }

    /// Of devices without an entry, which an earlier server had forgotten by then: one at their first and at their last
    /// time.
    private static func devicesWithoutEntries(_ devices: Match, _ logs: Match?) -> [Part] {
        var source = "\(SQLiteFile.name(devices.table.name)) AS d"
        if let logs, let id = logs.name(.deviceID, of: "l"), let user = logs.name(.username, of: "l"),
            let deviceID = devices.name(.deviceID, of: "d"), let deviceUser = devices.name(.username, of: "d")
        {
            source +=
                " LEFT JOIN (SELECT DISTINCT \(user) AS u, \(id) AS i FROM \(SQLiteFile.name(logs.table.name)) AS l)"
            source += " AS l ON l.u = \(deviceUser) AND l.i = \(deviceID) WHERE l.u IS NULL"
        }
        let fields = [.username, .deviceID] + ImportedField.description
        let columns = fields.compactMap { field in devices.name(field, of: "d").map { (field, $0) } }
        return [ImportedField.firstSeen, .lastSeen].compactMap { seen in
            devices.name(seen, of: "d").map { time in
                part("\(devices.table.name), \(seen.rawValue)", columns + [(.timestamp, time)], source)
            }
        }
    }

    private static func lastLogins(_ last: Match) -> Part {
        let columns = ImportedField.lastLogin.compactMap { field in last.name(field, of: "l").map { (field, $0) } }
        return part(
            last.table.name, columns, "\(SQLiteFile.name(last.table.name)) AS l", isLastLogins: true)
    }

    private static func part(
        _ name: String, _ columns: [(ImportedField, String)], _ source: String, isLastLogins: Bool = false
    ) -> Part {
        let query = "SELECT \(columns.map(\.1).joined(separator: ", ")) FROM \(source)"
        return Part(name: name, fields: columns.map(\.0), query: query, isLastLogins: isLastLogins)
    }
}
