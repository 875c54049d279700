import FoundationEssentials
import LogEngine
import WebAPI

/// An `acl` in a file of its own, as JSON: a list of `{"path","cn"}`, or `{"allow":[…]}`.
struct AccessFile: Decodable {
    private static let mostBytes = 1 << 20

    let entries: [AccessEntry]

    /// - Throws: `CommandFailure` that names what is wrong and where.
    static func rules(at path: String) throws -> AccessRules {
        guard let bytes = try PrivateFile(path, PosixDisk()).read(atMost: mostBytes) else {
            throw CommandFailure(.noInput, "\(path): there is no such file")
        }
        do {
            return try AccessRules(JSONDecoder().decode(AccessFile.self, from: Data(bytes)).entries)
        } catch let error as DecodingError {
            throw CommandFailure(.data, "\(path): \(text(error))")
        } catch let error as AccessRuleFault {
            throw CommandFailure(.data, "\(path): \(error)")
        }
    }

    init(from decoder: any Decoder) throws {
        if let list = try? decoder.unkeyedContainer() {
            entries = try Self.entries(list)
        } else {
            let members = try decoder.container(keyedBy: Member.self)
            try members.refuse(besides: ["allow"])
            entries = try Self.entries(members.nestedUnkeyedContainer(forKey: Member("allow")))
        }
    }

    private static func entries(_ list: any UnkeyedDecodingContainer) throws -> [AccessEntry] {
        var list = list
        var entries: [AccessEntry] = []
        while !list.isAtEnd {
            let members = try list.nestedContainer(keyedBy: Member.self)
            try members.refuse(besides: ["path", "cn"])
            entries.append(
                AccessEntry(
                    path: try members.decode(String.self, forKey: Member("path")),
                    commonName: try members.decode(String.self, forKey: Member("cn"))))
        }
        return entries
    }

    private static func text(_ error: DecodingError) -> String {
        switch error {
        case .keyNotFound(let key, let context): "\(place(context.codingPath))\(key.stringValue) is missing"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            "\(place(context.codingPath))this is of the wrong type"
        case .dataCorrupted(let context): "\(place(context.codingPath))\(context.debugDescription)"
        @unknown default: "this is no acl"
        }
    }

    private static func place(_ path: [any CodingKey]) -> String {
        let words = path.map { key in key.intValue.map { "entry \($0 + 1)" } ?? key.stringValue }
        return words.isEmpty ? "" : words.joined(separator: ", ") + ": "
    }
}

private struct Member: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(_ name: String) { stringValue = name }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}

extension KeyedDecodingContainer where Key == Member {
    fileprivate func refuse(besides known: Set<String>) throws {
        guard let unknown = allKeys.first(where: { !known.contains($0.stringValue) }) else { return }
        throw DecodingError.dataCorrupted(
            .init(codingPath: codingPath, debugDescription: "there is no member \(unknown.stringValue)"))
    }
}
