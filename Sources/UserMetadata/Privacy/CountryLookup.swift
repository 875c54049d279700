import CMaxMindDB

/// Says where an address is.
public protocol CountryLookup: Sendable {
    /// Two letters of ISO 3166-1; `nil` where it is not known. `address` is IPv4 or IPv6 text.
    func country(of address: String) -> [UInt8]?
}

/// No database: nobody knows where an address is.
public struct NoCountries: CountryLookup {
    public init() {}
    public func country(of address: String) -> [UInt8]? { nil }
}

/// Why a database of countries cannot be read.
public struct CountryDatabaseFault: Error, Equatable, Sendable, CustomStringConvertible {
    public let path: String
    public let message: String
    public var description: String { "\(path): \(message)" }
}

/// A database in MaxMind's format, GeoLite2-Country or any other with `country.iso_code`. It is mapped into
/// memory; lookups may come from any thread.
public final class CountryDatabase: CountryLookup, @unchecked Sendable {
    private var database = MMDB_s()

    public init(_ path: String) throws(CountryDatabaseFault) {
        let status = MMDB_open(path, UInt32(MMDB_MODE_MMAP), &database)
        guard status == MMDB_SUCCESS else {
            throw CountryDatabaseFault(path: path, message: String(cString: MMDB_strerror(status)))
        }
    }

    deinit { MMDB_close(&database) }

    public func country(of address: String) -> [UInt8]? {
        var (addressStatus, status) = (Int32(0), Int32(0))
        var found = MMDB_lookup_string(&database, address, &addressStatus, &status)
        guard addressStatus == 0, status == MMDB_SUCCESS, found.found_entry else { return nil }
        return code(&found.entry, "country") ?? code(&found.entry, "registered_country")
    }

    private func code(_ entry: inout MMDB_entry_s, _ kind: String) -> [UInt8]? {
        var data = MMDB_entry_data_s()
        let status = kind.withCString { kind in
            "iso_code".withCString { name in
                var path: [UnsafePointer<CChar>?] = [kind, name, nil]
                return MMDB_aget_value(&entry, &data, &path)
            }
        }
        guard status == MMDB_SUCCESS, data.has_data, data.type == UInt32(MMDB_DATA_TYPE_UTF8_STRING),
            data.data_size == 2, let text = data.utf8_string
        else { return nil }
        return UnsafeRawBufferPointer(start: text, count: 2).map { $0 }
    }
}
