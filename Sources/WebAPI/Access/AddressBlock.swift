import Glibc

/// IP addresses that begin with the same bits: one address, or a block in the notation of RFC 4632.
public struct AddressBlock: Equatable, Sendable {
    private let bytes: [UInt8]
    private let prefixLength: Int

    /// `10.1.2.3`, `10.0.0.0/8`, `::1`, `fd00::/8`; `nil` for anything else, also where bits behind the prefix are set.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = parts.first.flatMap({ IPAddress(String($0)) }) else { return nil }
        var length = address.bytes.count * 8
        if parts.count == 2 {
            guard let given = Int(parts[1]), String(given) == parts[1], (0...length).contains(given) else { return nil }
            length = given
        }
        bytes = address.bytes
        prefixLength = length
        guard contains(address), Self.isClear(bytes, behind: length) else { return nil }
    }

    private static func isClear(_ bytes: [UInt8], behind length: Int) -> Bool {
        (length..<bytes.count * 8).allSatisfy { bytes[$0 / 8] & (0x80 >> ($0 % 8)) == 0 }
    }

    func contains(_ address: IPAddress) -> Bool {
        guard address.bytes.count == bytes.count else { return false }
        let (whole, rest) = (prefixLength / 8, prefixLength % 8)
        guard bytes[..<whole] == address.bytes[..<whole] else { return false }
        return rest == 0 || (bytes[whole] ^ address.bytes[whole]) >> (8 - rest) == 0
    }
}

/// An address of IPv4 or IPv6. An IPv4 address in IPv6 clothes is the former.
struct IPAddress: Equatable, Sendable {
    /// 4 or 16.
    let bytes: [UInt8]

    private static let mappedPrefix: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]

    init?(_ text: String) {
        var four = in_addr()
        var six = in6_addr()
        if inet_pton(AF_INET, text, &four) == 1 {
            bytes = withUnsafeBytes(of: &four) { Array($0) }
        } else if inet_pton(AF_INET6, text, &six) == 1 {
            let all = withUnsafeBytes(of: &six) { Array($0) }
            bytes = all.starts(with: Self.mappedPrefix) ? Array(all[12...]) : all
        } else {
            return nil
        }
    }
}
