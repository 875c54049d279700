/// One entry of an `acl`: who may ask for which paths, as regular expressions for the whole path and the whole name.
public struct AccessEntry: Equatable, Sendable {
    public var path: String
    /// Of the client certificate's CommonName, or of who a trusted forwarder vouches for.
    public var commonName: String

    public init(path: String, commonName: String) {
        self.path = path
        self.commonName = commonName
    }
}

/// What is wrong with an `acl`.
public struct AccessRuleFault: Error, Equatable, Sendable, CustomStringConvertible {
    /// The entry, from 0; its member, `path` or `cn`; and the character of that, from 0. `nil` where the list is too long.
    public let place: (entry: Int, member: String, offset: Int)?
    public let reason: String

    public static func == (a: AccessRuleFault, b: AccessRuleFault) -> Bool { a.description == b.description }

    public var description: String {
        guard let place else { return "acl: \(reason)" }
        return "acl entry \(place.entry + 1), \(place.member) at character \(place.offset + 1): \(reason)"
    }
}

/// The entries of an `acl`, ready to be asked. Whoever none of them names is refused.
public struct AccessRules: Sendable {
    /// Entries of a list. A longer one is refused.
    public static let most = 1_000
    /// Bytes of a name. A longer one matches nothing.
    static let longestName = 256

    private struct Compiled: Sendable {
        let path: Pattern
        let name: Pattern
    }

    public let entries: [AccessEntry]
    private let compiled: [Compiled]
    private let known = FoundEntries()

    public init(_ entries: [AccessEntry]) throws(AccessRuleFault) {
        guard entries.count <= Self.most else {
            throw AccessRuleFault(place: nil, reason: "it has more than \(Self.most) entries")
        }
        var compiled: [Compiled] = []
        for (index, entry) in entries.enumerated() {
            let path = try Self.pattern(entry.path, index, "path")
            compiled.append(Compiled(path: path, name: try Self.pattern(entry.commonName, index, "cn")))
        }
        self.entries = entries
        self.compiled = compiled
    }

    private static func pattern(_ text: String, _ entry: Int, _ member: String) throws(AccessRuleFault) -> Pattern {
        do throws(PatternFault) {
            return try Pattern(text)
        } catch {
            throw AccessRuleFault(place: (entry, member, error.offset), reason: error.reason)
        }
    }

    /// What is wrong with a text as a regular expression of an entry; `nil` where it is one.
    public static func fault(in pattern: String) -> PatternFault? {
        do throws(PatternFault) {
            _ = try Pattern(pattern)
            return nil
        } catch {
            return error
        }
    }

    /// The first entry that lets `name` ask for `path`, from 0.
    func entry(for path: NormalPath, name: String) -> Int? {
        guard name.utf8.count <= Self.longestName else { return nil }
        return known.entry(for: path, name: name) {
            compiled.firstIndex { $0.path.matches(path.text) && $0.name.matches(name) }
        }
    }
}
