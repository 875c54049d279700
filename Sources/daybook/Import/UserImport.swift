import LogEngine
import SegmentFormat
import UserMetadata

/// Cuts the rows of a database into batches, the same ones each time.
struct UserImport {
    /// Of the way in which it is cut: a number of a batch stands for its content.
    static let version: UInt64 = 1
    private static let batchRows = 1_000

    private let database: SQLiteFile
    private let parts: [UserTables.Part]

    init(_ database: SQLiteFile, _ parts: [UserTables.Part]) {
        self.database = database
        self.parts = parts
    }

    func run(_ body: (UserBatch) async throws -> Void) async throws {
        var number = 0
        for (index, part) in parts.enumerated() {
            let rows = try database.rows(part.query)
            var first = 0
            while true {
                var batch = UserBatch(number: number, part: index, name: part.name, first: first, part.isLastLogins)
                while batch.rows < Self.batchRows, let row = try rows.next() { try batch.add(row, part.fields) }
                guard batch.rows > 0 else { break }
                try await body(batch)
                number += 1
                first += batch.rows
            }
        }
    }
}

/// Rows that are stored together.
struct UserBatch {
    enum Outcome {
        case stored(discarded: Int)
        /// It had been stored before.
        case known
    }

    let number: Int
    let part: Int
    /// NDJSON.
    private(set) var body: [UInt8] = []
    private(set) var rows = 0
    private let name: String
    /// Of its part, from 0.
    private let first: Int
    private let isLastLogins: Bool

    init(number: Int, part: Int, name: String, first: Int, _ isLastLogins: Bool) {
        (self.number, self.part, self.name) = (number, part, name)
        (self.first, self.isLastLogins) = (first, isLastLogins)
    }

    mutating func add(_ row: SQLiteRow, _ fields: [ImportedField]) throws(CommandFailure) {
        do throws(ImportFault) {
            body += try ImportedRow(row, fields).json.description.utf8
            body.append(UInt8(ascii: "\n"))
            rows += 1
        } catch { throw fault(row: rows, error.description) }
    }

    /// Fails where a row is none that the calls would take.
    func read(by users: UserStore) throws(CommandFailure) {
        if isLastLogins { _ = try logins(users) } else { _ = try entries(users) }
    }

    func store(in users: UserStore, _ delivery: Delivery, isDryRun: Bool) async throws -> Outcome {
        let outcome: AppendOutcome?
        if isLastLogins {
            let logins = try logins(users)
            if isDryRun { return .stored(discarded: 0) }
            outcome = try await users.set(logins, delivery: delivery)
        } else {
            let entries = try entries(users)
            if isDryRun { return .stored(discarded: 0) }
            outcome = try await users.add(entries, delivery: delivery)
        }
        guard let outcome, !outcome.isRepeat else { return .known }
        return .stored(discarded: outcome.discarded)
    }

    private func entries(_ users: UserStore) throws(CommandFailure) -> [LogEntry] {
        do throws(BodyFault) {
            return try body.withUnsafeBytes { body in
                Result { () throws(BodyFault) in try users.entries(body, isNDJSON: true) }
            }.get()
        } catch { throw fault(row: error.entry ?? 0, error.rule) }
    }

    private func logins(_ users: UserStore) throws(CommandFailure) -> [LastLogin] {
        var logins: [LastLogin] = []
        for line in body.split(separator: UInt8(ascii: "\n")) {
            let login = Array(line).withUnsafeBytes { line in
                Result { () throws(BodyFault) in try users.lastLogin(line) }
            }
            do throws(BodyFault) {
                logins.append(try login.get())
            } catch { throw fault(row: logins.count, error.description) }
        }
        return logins
    }

    private func fault(row: Int, _ reason: String) -> CommandFailure {
        CommandFailure(.data, "\(name), row \(first + row + 1): \(reason)")
    }
}

extension BodyFault {
    /// What is wrong, without the place in a batch, which is a row here.
    fileprivate var rule: String {
        let place = entry.map { "entry \($0), " } ?? ""
        return description.hasPrefix(place) ? String(description.dropFirst(place.count)) : description
    }
}

extension UserStore {
    /// What a file is known by. A hash of names and times that has no key could be tried out.
    func source(_ content: Hash128) -> Hash128 {
        withUnsafeBytes(of: (content.low.littleEndian, content.high.littleEndian)) { fingerprint(of: $0) }
    }
}
