/// A configuration file as it was written: nothing is known yet of what its settings mean.
struct Tree {
    enum Content {
        /// A text in quotes is not plain, nor is one in a block.
        case scalar(String, isPlain: Bool)
        case list([Tree])
        case mapping([Member])
    }

    struct Member {
        let name: String
        let place: Place
        let value: Tree
    }

    let content: Content
    let place: Place

    /// For a fault: what stands here in place of what is wanted.
    var kind: String {
        switch content {
        case .scalar("", isPlain: true), .scalar("~", isPlain: true), .scalar("null", isPlain: true): "empty"
        case .scalar(let text, isPlain: true): quoted(text)
        case .scalar(let text, isPlain: false): "the text \(quoted(text))"
        case .list: "a list"
        case .mapping: "a mapping"
        }
    }

    var isEmpty: Bool { kind == "empty" }
}

/// For a fault: no longer than a line bears, and nothing that would move the cursor.
func quoted(_ text: String) -> String {
    let shown = text.unicodeScalars.prefix(ConfigurationBounds.quotedCharacters).map { scalar in
        scalar.properties.generalCategory == .control ? "?" : String(scalar)
    }
    let isCut = text.unicodeScalars.count > shown.count
    return "'\(shown.joined())\(isCut ? "…" : "")'"
}
