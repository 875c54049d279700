import CSQLite

/// A database of SQLite that is only read, and stays as it is meanwhile.
final class SQLiteFile {
    private let path: String
    private var database: OpaquePointer?

    init(_ path: String) throws(CommandFailure) {
        self.path = path
        guard sqlite3_open_v2(path, &database, SQLITE_OPEN_READONLY, nil) == SQLITE_OK else { throw fault(.noInput) }
        // One moment for all that is read.
        try execute("BEGIN")
        _ = try rows("SELECT name FROM sqlite_schema").next()
    }

    deinit { sqlite3_close_v2(database) }

    /// A table, and the names of its columns.
    struct Table: Equatable {
        let name: String
        let columns: [String]
    }

    /// In the order of their making.
    func tables() throws(CommandFailure) -> [Table] {
        let names = try texts(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~'")
        var tables: [Table] = []
        for name in names {
            let columns = try texts("SELECT name FROM pragma_table_info(\(Self.literal(name)))")
            tables.append(Table(name: name, columns: columns))
        }
        return tables
    }

    private func texts(_ query: String) throws(CommandFailure) -> [String] {
        let rows = try rows(query)
        var texts: [String] = []
        while let row = try rows.next() {
            if case .text(let text) = row[0] { texts.append(text) }
        }
        return texts
    }

    func rows(_ query: String) throws(CommandFailure) -> SQLiteRows {
        var statement: OpaquePointer?
        guard sqlite3_prepare_v2(database, query, -1, &statement, nil) == SQLITE_OK, let statement else {
            throw fault(.data)
        }
        return SQLiteRows(statement, of: self)
    }

    private func execute(_ command: String) throws(CommandFailure) {
        guard sqlite3_exec(database, command, nil, nil, nil) == SQLITE_OK else { throw fault(.data) }
    }

    fileprivate func fault(_ status: ExitStatus) -> CommandFailure {
        CommandFailure(status, "\(path): \(String(cString: sqlite3_errmsg(database)))")
    }

    /// A name in a query.
    static func name(_ text: String) -> String { "\"\(text.replacing("\"", with: "\"\""))\"" }

    private static func literal(_ text: String) -> String { "'\(text.replacing("'", with: "''"))'" }
}

/// The rows of a query, one after the other.
final class SQLiteRows {
    private let statement: OpaquePointer
    private let file: SQLiteFile
    private var isOver = false

    fileprivate init(_ statement: OpaquePointer, of file: SQLiteFile) {
        self.statement = statement
        self.file = file
    }

    deinit { sqlite3_finalize(statement) }

    /// `nil` at the end.
    func next() throws(CommandFailure) -> SQLiteRow? {
        // A step behind the end would begin again.
        guard !isOver else { return nil }
        switch sqlite3_step(statement) {
        case SQLITE_ROW: return SQLiteRow(statement: statement)
        case SQLITE_DONE:
            isOver = true
            return nil
        default: throw file.fault(.data)
        }
    }
}

/// A row, until the next one is asked for.
struct SQLiteRow {
    enum Value: Equatable {
        case null
        case integer(Int64)
        case real(Double)
        case text(String)
        /// Bytes that are no UTF-8, or a BLOB.
        case bytes
    }

    fileprivate let statement: OpaquePointer

    subscript(_ column: Int) -> Value {
        let column = Int32(column)
        switch sqlite3_column_type(statement, column) {
        case SQLITE_INTEGER: return .integer(sqlite3_column_int64(statement, column))
        case SQLITE_FLOAT: return .real(sqlite3_column_double(statement, column))
        case SQLITE_NULL: return .null
        case SQLITE_TEXT:
            guard let start = sqlite3_column_text(statement, column) else { return .null }
            let bytes = UnsafeBufferPointer(start: start, count: Int(sqlite3_column_bytes(statement, column)))
            return String(validating: bytes, as: UTF8.self).map { .text($0) } ?? .bytes
        default: return .bytes
        }
    }
}
