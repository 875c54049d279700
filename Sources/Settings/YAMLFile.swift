import Yams

/// Turns the bytes of a YAML file into a `Tree`, within `ConfigurationBounds`. Anchors, aliases, tags and
/// keys that are no scalars are refused, all at once; a fault of syntax or a key that comes twice ends it.
struct YAMLFile {
    private let file: String
    private var faults: [ConfigurationFault] = []

    private init(_ file: String) { self.file = file }

    /// `nil` where there is no document: the file is empty or has nothing but comments.
    static func tree(_ bytes: [UInt8], file: String) throws(ConfigurationError) -> Tree? {
        var reader = YAMLFile(file)
        let text = try reader.text(bytes)
        if let place = reader.placeBeyondAliases(text) {
            throw ConfigurationError([.init(.file(place), "", Self.aliasRefusal)])
        }
        do {
            let parser = try Parser(yaml: text, resolver: .basic, encoding: .utf8)
            let tree = try parser.singleRoot().map { reader.tree($0, depth: 1) }
            // An anchor is known as long as its parser.
            extendLifetime(parser)
            guard reader.faults.isEmpty else { throw ConfigurationError(reader.faults) }
            return tree
        } catch let error as ConfigurationError {
            throw error
        } catch let error as YamlError {
            throw ConfigurationError([reader.fault(error, in: text)])
        } catch {
            throw ConfigurationError([reader.fault("\(error)", 1, 1)])
        }
    }

    private static let aliasRefusal = "anchors and aliases (&name, *name) are not allowed; write the value out"

    // MARK: - Text

    private func text(_ bytes: [UInt8]) throws(ConfigurationError) -> String {
        guard bytes.count <= ConfigurationBounds.fileBytes else {
            throw ConfigurationError([fault("the file has more than \(ConfigurationBounds.fileBytes) bytes", 1, 1)])
        }
        let bytes = bytes.starts(with: Self.byteOrderMark) ? bytes.dropFirst(3) : bytes[...]
        if let text = String(validating: bytes, as: UTF8.self) { return text }
        let good = Self.validPrefix(bytes)
        throw ConfigurationError([fault("this is no UTF-8", good.line, good.column)])
    }

    private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    /// Where the first scalar is that is none.
    private static func validPrefix(_ bytes: ArraySlice<UInt8>) -> (line: Int, column: Int) {
        var (line, column) = (1, 1)
        var (decoder, input) = (UTF8(), bytes.makeIterator())
        while case .scalarValue(let scalar) = decoder.decode(&input) {
            (line, column) = scalar == "\n" ? (line + 1, 1) : (line, column + 1)
        }
        return (line, column)
    }

    /// Where the first thing beyond the bound is that may be an alias: `*name` behind white space or a bracket.
    private func placeBeyondAliases(_ text: String) -> Place? {
        var (line, column, count) = (1, 0, 0)
        var previous: [UInt8] = [0x0A, 0x0A]
        for byte in text.utf8 {
            column += byte & 0xC0 == 0x80 ? 0 : 1
            if previous[1] == UInt8(ascii: "*"), Self.isNameByte(byte), Self.endsToken(previous[0]) {
                count += 1
                if count > ConfigurationBounds.aliases { return Place(file: file, line: line, column: column - 1) }
            }
            previous = [previous[1], byte]
            if byte == 0x0A { (line, column) = (line + 1, 0) }
        }
        return nil
    }

    private static func endsToken(_ byte: UInt8) -> Bool { " \t\n\r[{,".utf8.contains(byte) }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20) || byte == 0x5F || byte == 0x2D
    }

    // MARK: - Nodes

    /// What is below an anchor is left out, so that no alias is followed.
    private mutating func tree(_ node: Node, depth: Int) -> Tree {
        let place = place(node)
        let empty = Tree(content: .scalar("", isPlain: true), place: place)
        if node.anchor != nil {
            faults.append(ConfigurationFault(.file(place), "", Self.aliasRefusal))
            return empty
        }
        if !Self.isPlain(node) {
            faults.append(ConfigurationFault(.file(place), "", "tags (!name) are not allowed"))
            return empty
        }
        guard depth <= ConfigurationBounds.depth else {
            let message = "mappings and lists are nested deeper than \(ConfigurationBounds.depth)"
            faults.append(ConfigurationFault(.file(place), "", message))
            return empty
        }
        return Tree(content: content(node, depth), place: place)
    }

    private mutating func content(_ node: Node, _ depth: Int) -> Tree.Content {
        switch node {
        case .scalar(let scalar): return .scalar(scalar.string, isPlain: scalar.style == .plain)
        case .sequence(let items): return .list(items.map { tree($0, depth: depth + 1) })
        case .mapping(let members):
            return .mapping(members.compactMap { member(key: $0.key, $0.value, depth) })
        case .alias: return .scalar("", isPlain: true)
        }
    }

    private mutating func member(key: Node, _ value: Node, _ depth: Int) -> Tree.Member? {
        let name = tree(key, depth: depth)
        guard case .scalar(let text, _) = name.content else {
            faults.append(ConfigurationFault(.file(name.place), "", "the name of a setting is \(name.kind)"))
            return nil
        }
        return Tree.Member(name: text, place: name.place, value: tree(value, depth: depth + 1))
    }

    /// Whether it has no tag, or that of what it is.
    private static func isPlain(_ node: Node) -> Bool {
        let kind =
            switch node {
            case .scalar: "str"
            case .sequence: "seq"
            case .mapping: "map"
            case .alias: ""
            }
        return ["", kind].contains { node.tag.description == "tag:yaml.org,2002:\($0)" }
    }

    private func place(_ node: Node) -> Place {
        Place(file: file, line: node.mark?.line ?? 1, column: node.mark?.column ?? 1)
    }

    // MARK: - Faults

    private func fault(_ message: String, _ line: Int, _ column: Int) -> ConfigurationFault {
        ConfigurationFault(.file(Place(file: file, line: line, column: column)), "", message)
    }

    private func fault(_ error: YamlError, in text: String) -> ConfigurationFault {
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            let context = context.map { "\($0.text): " } ?? ""
            return fault("no YAML: \(context)\(problem)", mark.line, mark.column)
        case .duplicatedKeysInMapping(let names, let context):
            let names = names.map(quoted).joined(separator: ", ")
            return fault("\(names): more than once in one mapping", context.mark.line, context.mark.column)
        case .reader(let problem, let offset, _, _):
            let before = text.prefix(offset ?? 0)
            let line = before.split(separator: "\n", omittingEmptySubsequences: false)
            return fault("no YAML: \(problem)", line.count, (line.last?.unicodeScalars.count ?? 0) + 1)
        default: return fault("no YAML: \(error)", 1, 1)
        }
    }
}
