import LogEngine

/// The tokens of a data directory (SPEC AC6).
public struct TokenFile: Sendable {
    private let file: PrivateFile

    /// - Parameter data: the data directory.
    public init(data: String, disk: any Disk) {
        file = PrivateFile("\(data)/TOKENS", disk)
    }

    public var path: String { file.path }

    /// A file that is not one of tokens.
    public struct Damage: Error, CustomStringConvertible {
        public let path: String
        public let fault: TokenList.Fault
        public var description: String { "\(path): line \(fault.line): \(fault.reason)" }
    }

    /// `nil` where there is no file.
    ///
    /// - Throws: `Damage` or `StoreError`.
    public func read() throws -> TokenList? {
        try file.read(atMost: TokenList.mostBytes).map(decoded)
    }

    /// Changes the list; durable when it returns. Makes the file, and the data directory, where they are missing.
    ///
    /// - Throws: what `change` does, `Damage` or `StoreError`.
    public func update<Value>(_ change: (inout TokenList) throws -> Value) throws -> Value {
        try file.update(atMost: TokenList.mostBytes) { bytes in
            var list = try bytes.map(decoded) ?? TokenList()
            let value = try change(&list)
            return (Array(list.text.utf8), value)
        }
    }

    private func decoded(_ bytes: [UInt8]) throws -> TokenList {
        do {
            return try TokenList(text: String(decoding: bytes, as: UTF8.self))
        } catch {
            throw Damage(path: path, fault: error)
        }
    }
}
