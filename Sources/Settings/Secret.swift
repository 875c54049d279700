/// Bytes that nothing shows.
public struct Secret: Equatable, Sendable, CustomStringConvertible, CustomReflectable {
    /// 32 to 128.
    public let bytes: [UInt8]

    /// `nil` for what is not 64 to 256 hexadecimal digits, two a byte.
    init?(hexadecimal text: String) {
        let digits = text.utf8.map { Character(UnicodeScalar($0)).hexDigitValue }
        guard (64...256).contains(digits.count), digits.count.isMultiple(of: 2), !digits.contains(nil) else {
            return nil
        }
        let values = digits.compactMap { $0 }
        bytes = stride(from: 0, to: values.count, by: 2).map { UInt8(values[$0] << 4 | values[$0 + 1]) }
    }

    public var description: String { "***" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
