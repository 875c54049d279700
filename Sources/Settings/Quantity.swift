/// Times and sizes as people write them.
public enum Quantity {
    private static let times: [(name: String, milliseconds: UInt64)] = [
        ("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000), ("w", 604_800_000),
    ]

    private static let sizes: [(name: String, bytes: Int)] = [
        ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40), ("PiB", 1 << 50), ("", 1),
    ]

    /// Milliseconds of `90d`, `12h`, `10m`, `30s`, `1ms`, `1w`; `nil` for anything else.
    public static func milliseconds(_ text: String) -> UInt64? {
        let (digits, name) = parts(text)
        guard let count = UInt64(digits), let unit = times.first(where: { $0.name == name })
        else { return nil }
        let (milliseconds, overflows) = count.multipliedReportingOverflow(by: unit.milliseconds)
        return overflows ? nil : milliseconds
    }

    /// Bytes of `65536`, `256MiB`, `1GiB`; `nil` for anything else.
    public static func bytes(_ text: String) -> Int? {
        let (digits, name) = parts(text)
        guard let count = Int(digits), let unit = sizes.first(where: { $0.name == name })
        else { return nil }
        let (bytes, overflows) = count.multipliedReportingOverflow(by: unit.bytes)
        return overflows ? nil : bytes
    }

    private static func parts(_ text: String) -> (digits: Substring, unit: Substring) {
        let digits = text.utf8.prefix { (0x30...0x39).contains($0) }
        return (Substring(digits), Substring(text.utf8.dropFirst(digits.count)))
    }

    /// The largest unit up to a day that gives a whole number.
    public static func text(milliseconds: UInt64) -> String {
        for unit in times.dropLast().reversed() where milliseconds % unit.milliseconds == 0 {
            return "\(milliseconds / unit.milliseconds)\(unit.name)"
        }
        return "\(milliseconds)ms"
    }

    /// The largest unit that gives a whole number.
    public static func text(bytes: Int) -> String {
        let unit = sizes.last { $0.bytes > 1 && bytes % $0.bytes == 0 } ?? ("", 1)
        return "\(bytes / unit.bytes)\(unit.name)"
    }
}
