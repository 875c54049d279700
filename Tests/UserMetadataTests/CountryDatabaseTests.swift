import TestSupport
import Testing

@testable import UserMetadata

/// Writes databases in MaxMind's format, version 2.0: a tree over the bits of an IPv6 address (IPv4 lies in
/// ::/96), a section of data, and metadata.
struct CountryDatabaseWriter {
    private enum Record {
        case none
        case node(Int)
        case data(Int)
    }

    private var nodes: [(Record, Record)] = [(.none, .none)]
    private var data: [UInt8] = []

    /// `address` has 16 bytes.
    mutating func insert(_ address: [UInt8], length: Int, kind: String = "country", code: String) {
        let offset = data.count
        data += Self.map([(kind, Self.map([("iso_code", Self.string(code))]))])
        var node = 0
        for bit in 0..<length {
            let isRight = address[bit / 8] >> (7 - bit % 8) & 1 == 1
            if bit == length - 1 {
                set(node, isRight, .data(offset))
            } else if case .node(let next) = isRight ? nodes[node].1 : nodes[node].0 {
                node = next
            } else {
                nodes.append((.none, .none))
                set(node, isRight, .node(nodes.count - 1))
                node = nodes.count - 1
            }
        }
    }

    private mutating func set(_ node: Int, _ isRight: Bool, _ record: Record) {
        if isRight { nodes[node].1 = record } else { nodes[node].0 = record }
    }

    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        for (left, right) in nodes {
            for record in [left, right] { bytes += Self.bigEndian(value(record), 4) }
        }
        return bytes + [UInt8](repeating: 0, count: 16) + data + [0xAB, 0xCD, 0xEF] + Array("MaxMind.com".utf8)
            + metadata
    }

    private func value(_ record: Record) -> UInt64 {
        switch record {
        case .none: UInt64(nodes.count)
        case .node(let node): UInt64(node)
        case .data(let offset): UInt64(nodes.count + 16 + offset)
        }
    }

    private var metadata: [UInt8] {
        Self.map([
            ("binary_format_major_version", Self.integer(2, type: 5)),
            ("binary_format_minor_version", Self.integer(0, type: 5)),
            ("build_epoch", Self.integer(1_795_000_000, type: 9)),
            ("database_type", Self.string("Test-Country")),
            ("description", Self.map([("en", Self.string("of a test"))])),
            ("ip_version", Self.integer(6, type: 5)),
            ("languages", [0x01, 0x04] + Self.string("en")),
            ("node_count", Self.integer(UInt64(nodes.count), type: 6)),
            ("record_size", Self.integer(32, type: 5)),
        ])
    }

    // MARK: - Data fields

    private static func string(_ text: String) -> [UInt8] {
        precondition(text.utf8.count < 29)
        return [2 << 5 | UInt8(text.utf8.count)] + Array(text.utf8)
    }

    private static func integer(_ value: UInt64, type: UInt8) -> [UInt8] {
        let bytes = Array(bigEndian(value, 8).drop { $0 == 0 })
        return (type <= 7 ? [type << 5 | UInt8(bytes.count)] : [UInt8(bytes.count), type - 7]) + bytes
    }

    private static func map(_ members: [(String, [UInt8])]) -> [UInt8] {
        [7 << 5 | UInt8(members.count)] + members.flatMap { string($0.0) + $0.1 }
    }

    private static func bigEndian(_ value: UInt64, _ count: Int) -> [UInt8] {
        (0..<count).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) }
    }
}

@Suite("Databases of countries")
struct CountryDatabaseTests {
    private static func database() -> [UInt8] {
        var writer = CountryDatabaseWriter()
        let zeros = [UInt8](repeating: 0, count: 12)
        writer.insert(zeros + [192, 0, 2, 0], length: 96 + 24, code: "DE")
        writer.insert(zeros + [198, 51, 100, 128], length: 96 + 25, kind: "registered_country", code: "IT")
        writer.insert(zeros + [203, 0, 113, 0], length: 96 + 24, kind: "continent", code: "EU")
        writer.insert([0x20, 0x01, 0x0D, 0xB8] + zeros, length: 32, code: "FR")
        return writer.bytes
    }

    @Test(
        "an address is in the country of its network",
        arguments: [
            ("192.0.2.1", "DE"), ("192.0.2.255", "DE"), ("192.0.3.1", nil), ("198.51.100.129", "IT"),
            ("198.51.100.1", nil), ("203.0.113.1", nil), ("2001:db8:1::9", "FR"), ("2001:db9::", nil),
            ("nonsense", nil), ("", nil),
        ] as [(String, String?)])
    func lookup(address: String, country: String?) throws {
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/countries.mmdb"
        try WholeFile.write(Self.database(), to: path)
        let database = try CountryDatabase(path)
        #expect(database.country(of: address).map(text) == country)
    }

    @Test("what is no database is refused by name")
    func refused() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("no database", to: "x.mmdb")
        #expect { try CountryDatabase(path) } throws: { ($0 as? CountryDatabaseFault)?.path == path }
        #expect(throws: CountryDatabaseFault.self) { try CountryDatabase("\(directory.path)/missing") }
    }
}
