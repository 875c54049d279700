/// A file with a secret in it, which is its owner's alone.
public enum SecretFile {
    /// Says which file, and what is wrong with it.
    public struct Fault: Error, Equatable, Sendable, CustomStringConvertible {
        public let description: String
    }

    public static func exists(_ path: String) -> Bool { FileCheck.exists(path) }

    /// All of it. At most 4 KiB.
    public static func text(of path: String) throws(Fault) -> String {
        do throws(Refusal) {
            let bytes = try FileCheck.contents(path, limit: ConfigurationBounds.secretFileBytes)
            try FileCheck.bePrivate(path)
            guard bytes.count <= ConfigurationBounds.secretFileBytes else {
                throw Refusal(reason: "has more than \(ConfigurationBounds.secretFileBytes) bytes")
            }
            return String(decoding: bytes, as: UTF8.self)
        } catch {
            throw Fault(description: "\(path) \(error.reason)")
        }
    }
}
