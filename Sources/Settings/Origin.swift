/// A place in a file. Lines and columns count from 1, columns in Unicode scalars.
public struct Place: Equatable, Sendable, CustomStringConvertible {
    public let file: String
    public let line: Int
    public let column: Int

    public init(file: String, line: Int, column: Int) {
        self.file = file
        self.line = line
        self.column = column
    }

    public var description: String { "\(file):\(line):\(column)" }
}

/// Where a value comes from, the strongest first.
public enum Origin: Equatable, Sendable, CustomStringConvertible {
    /// The flag's name, with its dashes.
    case flag(String)
    /// The variable's name.
    case environment(String)
    /// The path of a file of `$CREDENTIALS_DIRECTORY`.
    case credential(String)
    case file(Place)
    case standard

    public var description: String {
        switch self {
        case .flag(let name): name
        case .environment(let name): name
        case .credential(let path): path
        case .file(let place): place.description
        case .standard: "default"
        }
    }
}
