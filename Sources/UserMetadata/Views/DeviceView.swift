import SegmentFormat

// The view `devices` (SPEC UM6): which devices a user has, since when, how often and where. A fold whose result
// does not depend on the order of the entries, so that the log may forget the order inside a bucket.

/// A device of a user, as the view knows it.
public struct KnownDevice: Equatable, Sendable {
    public var id: Hash128
    public var first: Bucket
    public var last: Bucket
    public var count: UInt64
    /// By name.
    public var zones: [KnownZone]
    /// Members of a JSON object, without its braces: of the entries of the last bucket the greatest.
    public var description: [UInt8]
}

/// Where a device was used.
public struct KnownZone: Equatable, Sendable {
    public var name: [UInt8]
    public var count: UInt64
    public var last: Bucket
}

public struct DeviceView: Sendable {
    private struct DeviceRow: ChainedRow {
        var id: Hash128
        var first: Bucket
        var last: Bucket
        var count: UInt32
        var description: UInt32
        var zones = RowLink.none
        var next = RowLink.none
    }

    private struct ZoneRow: ChainedRow {
        var last: Bucket
        var name: UInt32
        var count: UInt32
        var next = RowLink.none
    }

    private var names: TextTable
    private(set) var zoneNames: SharedTexts
    private(set) var descriptions: SharedTexts
    /// By the number of the user's name.
    private var chains: [RowLink] = []
    private var devices = RowPool<DeviceRow>()
    private var zones = RowPool<ZoneRow>()

    public init(seed: UInt64) {
        names = TextTable(seed: seed)
        zoneNames = SharedTexts(seed: seed)
        descriptions = SharedTexts(seed: seed)
    }

    public var userCount: Int { names.count }
    /// Devices.
    public var rowCount: Int { devices.count }

    public mutating func reserve(users: Int) {
        names.reserve(users)
        chains.reserveCapacity(users)
    }

    /// Takes in an entry; one without a device id changes nothing.
    public mutating func fold(_ entry: LogEntry) {
        guard let device = entry.device, let id = device.id else { return }
        let description = entry.line.withUnsafeBytes {
            descriptions.take(UnsafeRawBufferPointer(rebasing: $0[entry.description]))
        }
        let bucket = entry.bucket
        let row = DeviceRow(id: id, first: bucket, last: bucket, count: 1, description: description)
        let index = merge(row, of: entry.username)
        if let zone = device.zone { merge(zone, count: 1, last: bucket, device: index) }
    }

    /// Takes in what a checkpoint knows of a device.
    mutating func merge(_ known: KnownDevice, of username: [UInt8]) {
        let row = DeviceRow(
            id: known.id, first: known.first, last: known.last, count: UInt32(clamping: known.count),
            description: descriptions.take(known.description))
        let index = merge(row, of: username)
        for zone in known.zones {
            merge(zone.name, count: UInt32(clamping: zone.count), last: zone.last, device: index)
        }
    }

    private mutating func merge(_ row: DeviceRow, of username: [UInt8]) -> Int {
        let user = names.insert(username)
        if user == chains.count { chains.append(.none) }
        guard let index = devices.first(in: chains[user], where: { $0.id == row.id }) else {
            return devices.push(row, on: &chains[user])
        }
        let known = devices[index]
        devices[index].count = known.count.saturatingSum(row.count)
        devices[index].first = min(known.first, row.first)
        devices[index].last = max(known.last, row.last)
        let isBetter = describesBetter(row, than: known)
        if isBetter { devices[index].description = row.description }
        descriptions.giveBack(isBetter ? known.description : row.description)
        return index
    }

    private func describesBetter(_ row: DeviceRow, than known: DeviceRow) -> Bool {
        if row.last != known.last { return row.last > known.last }
        return row.description != known.description && descriptions.isBefore(known.description, row.description)
    }

    private mutating func merge(_ zone: [UInt8], count: UInt32, last: Bucket, device: Int) {
        let name = zoneNames.take(zone)
        if let index = zones.first(in: devices[device].zones, where: { $0.name == name }) {
            zoneNames.giveBack(name)
            zones[index].count = zones[index].count.saturatingSum(count)
            zones[index].last = max(zones[index].last, last)
        } else {
            _ = zones.push(ZoneRow(last: last, name: name, count: count), on: &devices[device].zones)
        }
    }

    /// The devices of a user, the last used first; none where the user is not known.
    public func devices(of username: [UInt8]) -> [KnownDevice] {
        guard let user = names.find(username) else { return [] }
        return known(user).sorted { $0.last == $1.last ? $0.id < $1.id : $0.last > $1.last }
    }

    private func known(_ user: Int) -> [KnownDevice] {
        devices.rows(of: chains[user]).map { row in
            let zones = zones.rows(of: row.zones).map {
                KnownZone(name: zoneNames[$0.name], count: UInt64($0.count), last: $0.last)
            }
            return KnownDevice(
                id: row.id, first: row.first, last: row.last, count: UInt64(row.count),
                zones: zones.sorted { $0.name.lexicographicallyPrecedes($1.name) },
                description: descriptions[row.description])
        }
    }

    /// Forgets a user. Events that come later begin afresh.
    public mutating func erase(_ username: [UInt8]) {
        guard let user = names.find(username) else { return }
        var link = chains[user]
        while let index = link.index {
            link = devices[index].next
            descriptions.giveBack(devices[index].description)
            for zone in zones.rows(of: devices[index].zones) { zoneNames.giveBack(zone.name) }
            zones.free(&devices[index].zones, blank: ZoneRow(last: .earliest, name: 0, count: 0))
        }
        devices.free(
            &chains[user],
            blank: DeviceRow(
                id: Hash128(low: 0, high: 0), first: .earliest, last: .earliest, count: 0, description: 0))
        names.remove(user)
    }

    /// All users by name, each with its devices by id.
    public var rows: some Swift.Sequence<(username: [UInt8], devices: [KnownDevice])> {
        names.sorted.lazy.map { user in (names[user], known(user).sorted { $0.id < $1.id }) }
    }
}

extension UInt32 {
    /// The greatest where that is passed.
    fileprivate func saturatingSum(_ other: UInt32) -> UInt32 { UInt32(clamping: UInt64(self) + UInt64(other)) }
}

extension Hash128 {
    static func < (a: Hash128, b: Hash128) -> Bool { (a.high, a.low) < (b.high, b.low) }
}
