/// One mapping on its way to values. What is asked of it is what it may hold: `end` refuses the rest.
struct Section {
    /// As `listeners[0].tls`; empty for the whole file.
    let path: String
    /// Where it begins.
    let origin: Origin
    let isPresent: Bool
    let reading: Reading
    private let members: [Tree.Member]
    private var known: [String] = []

    /// One that is not there: its settings come from flags, the environment and defaults.
    init(absent path: String, _ reading: Reading) {
        self.path = path
        self.reading = reading
        (origin, isPresent, members) = (.standard, false, [])
    }

    /// Refuses what is no mapping.
    init(_ tree: Tree, _ path: String, at place: Place, _ reading: Reading) {
        self.path = path
        self.reading = reading
        origin = .file(place)
        if case .mapping(let members) = tree.content {
            (isPresent, self.members) = (true, members)
        } else {
            reading.refuse(.file(tree.place), path, "is \(tree.kind), not a mapping of settings")
            (isPresent, members) = (false, [])
        }
    }

    func name(_ member: String) -> String { path.isEmpty ? member : "\(path).\(member)" }

    /// A scalar, from where it is strongest. `nil` where nothing sets it, and where it is refused.
    mutating func value<Value>(_ member: String, _ kind: Kind<Value>, flag: String? = nil) -> Value? {
        let tree = self.member(member)
        let name = self.name(member)
        if let (text, origin) = reading.override(name, flag: flag) { return value(text, kind, name, origin) }
        return tree.flatMap { value($0, kind, name) }
    }

    mutating func value<Value>(
        _ member: String, _ kind: Kind<Value>, flag: String? = nil, default standard: Value
    ) -> Value {
        let count = reading.settings.count
        if let value = value(member, kind, flag: flag) { return value }
        if reading.settings.count == count {
            reading.found(Setting(name(member), kind.isSecret ? nil : kind.show(standard), .standard))
        }
        return standard
    }

    /// Refuses a section without it.
    mutating func required<Value>(_ member: String, _ kind: Kind<Value>, flag: String? = nil) -> Value? {
        let count = reading.faults.count
        if let value = value(member, kind, flag: flag) { return value }
        if reading.faults.count == count { reading.refuse(origin, name(member), "is missing; it is \(kind.allowed)") }
        return nil
    }

    /// A mapping in this one.
    mutating func section(_ member: String) -> Section {
        known.append(member)
        guard let found = members.first(where: { $0.name == member }) else {
            return Section(absent: name(member), reading)
        }
        return Section(found.value, name(member), at: found.place, reading)
    }

    /// A list of mappings, or of what can stand for one; empty where there is none.
    mutating func elements(
        _ member: String, atLeast least: Int = 0, atMost limit: Int
    ) -> [(path: String, tree: Tree)] {
        let name = self.name(member)
        guard let tree = self.member(member) else { return [] }
        guard case .list(let items) = tree.content else {
            reading.refuse(.file(tree.place), name, "is \(tree.kind), not a list")
            return []
        }
        if items.count > limit {
            reading.refuse(.file(tree.place), name, "has \(items.count) entries; at most \(limit)")
        }
        if items.count < least { reading.refuse(.file(tree.place), name, "is an empty list") }
        return items.prefix(limit).enumerated().map { ("\(name)[\($0)]", $1) }
    }

    mutating func sections(_ member: String, atLeast least: Int = 0, atMost limit: Int) -> [Section] {
        elements(member, atLeast: least, atMost: limit).map { Section($0.tree, $0.path, at: $0.tree.place, reading) }
    }

    /// A list of scalars.
    mutating func values<Value>(
        _ member: String, _ kind: Kind<Value>, atLeast least: Int = 0, atMost limit: Int
    ) -> [Value] {
        elements(member, atLeast: least, atMost: limit).compactMap { value($0.tree, kind, $0.path) }
    }

    func value<Value>(_ tree: Tree, _ kind: Kind<Value>, _ name: String) -> Value? {
        guard case .scalar(let text, let isPlain) = tree.content, !tree.isEmpty, isPlain || !kind.isPlain else {
            reading.refuse(.file(tree.place), name, "is \(tree.kind), not \(kind.allowed)")
            return nil
        }
        return value(text, kind, name, .file(tree.place))
    }

    func value<Value>(_ text: String, _ kind: Kind<Value>, _ name: String, _ origin: Origin) -> Value? {
        do {
            let value = try kind.read(text)
            reading.found(Setting(name, kind.isSecret ? nil : kind.show(value), origin))
            return value
        } catch {
            reading.refuse(origin, name, kind.message(text, error))
            return nil
        }
    }

    /// What stands there, whatever it is.
    mutating func member(_ member: String) -> Tree? {
        known.append(member)
        return members.first { $0.name == member }?.value
    }

    /// Of all that stands here.
    var names: [String] { members.map(\.name) }

    func holds(_ member: String) -> Bool { members.contains { $0.name == member } }

    /// Where a member's name is.
    func origin(of member: String) -> Origin {
        members.first { $0.name == member }.map { .file($0.place) } ?? origin
    }

    /// Refuses a file that a member names and that cannot be read, or that others can use where it is private. What
    /// a flag names is looked at by who uses it.
    func look(at file: String, _ member: String, isPrivate: Bool) {
        let origin = reading.origin(name(member))
        if case .flag = origin { return }
        do {
            try FileCheck.beReadable(file)
            if isPrivate { try FileCheck.bePrivate(file) }
        } catch {
            reading.refuse(origin, name(member), "\(file) \(error.reason)")
        }
    }

    /// Refuses what nobody asked for.
    func end() {
        for member in members where !known.contains(member.name) {
            let meant = Suggestion.nearest(to: member.name, among: known).map { "; did you mean \($0)?" }
            let allowed = "; known here: \(known.sorted().joined(separator: ", "))"
            reading.refuse(.file(member.place), name(quotedName(member.name)), "is no setting\(meant ?? allowed)")
        }
    }

    private func quotedName(_ name: String) -> String {
        let isWord = name.utf8.allSatisfy { (0x30...0x7A).contains($0) || $0 == 0x2D } && !name.isEmpty
        return isWord && name.utf8.count <= ConfigurationBounds.quotedCharacters ? name : quoted(name)
    }
}
