/// One setting as it holds, for `daybook config show`.
public struct Setting: Equatable, Sendable {
    /// As `listeners[0].tls.key`.
    public let name: String
    /// As it would be written in the file; `nil` for a secret.
    public let value: String?
    public let origin: Origin

    init(_ name: String, _ value: String?, _ origin: Origin) {
        self.name = name
        self.value = value
        self.origin = origin
    }
}
