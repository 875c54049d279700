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
    private var zoneNames: TextTable
    private var descriptions: TextTable
    /// By the number of the user's name.
    private var chains: [RowLink] = []
    private var devices = RowPool<DeviceRow>()
    private var zones = RowPool<ZoneRow>()

    public init(seed: UInt64) {
        names = TextTable(seed: seed)
        zoneNames = TextTable(seed: seed)
        descriptions = TextTable(seed: seed)
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
        let zones = device.zone.map { [KnownZone(name: $0, count: 1, last: entry.bucket)] } ?? []
        merge(
            KnownDevice(
                id: id, first: entry.bucket, last: entry.bucket, count: 1, zones: zones,
                description: device.description),
            of: entry.username)
    }

    /// Takes in what is known of a device: by an entry, or by a checkpoint.
    mutating func merge(_ known: KnownDevice, of username: [UInt8]) {
        let user = names.insert(username)
        if user == chains.count { chains.append(.none) }
        let text = UInt32(descriptions.insert(known.description))
        let index: Int
        if let found = devices.first(in: chains[user], where: { $0.id == known.id }) {
            index = found
            devices[index].count.add(known.count)
            devices[index].first = min(devices[index].first, known.first)
            if isNewer(known, text, than: devices[index]) { devices[index].description = text }
            devices[index].last = max(devices[index].last, known.last)
        } else {
            var row = DeviceRow(id: known.id, first: known.first, last: known.last, count: 0, description: text)
            row.count.add(known.count)
            index = devices.push(row, on: &chains[user])
        }
        for zone in known.zones { merge(zone, device: index) }
    }

    private func isNewer(_ known: KnownDevice, _ text: UInt32, than row: DeviceRow) -> Bool {
        if known.last != row.last { return known.last > row.last }
        return text != row.description && descriptions.isBefore(Int(row.description), Int(text))
    }

    private mutating func merge(_ zone: KnownZone, device: Int) {
        let name = UInt32(zoneNames.insert(zone.name))
        if let index = zones.first(in: devices[device].zones, where: { $0.name == name }) {
            zones[index].count.add(zone.count)
            zones[index].last = max(zones[index].last, zone.last)
        } else {
            var row = ZoneRow(last: zone.last, name: name, count: 0)
            row.count.add(zone.count)
            _ = zones.push(row, on: &devices[device].zones)
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
                KnownZone(name: zoneNames[Int($0.name)], count: UInt64($0.count), last: $0.last)
            }
            return KnownDevice(
                id: row.id, first: row.first, last: row.last, count: UInt64(row.count),
                zones: zones.sorted { $0.name.lexicographicallyPrecedes($1.name) },
                description: descriptions[Int(row.description)])
        }
    }

    /// Forgets a user. Events that come later begin afresh.
    public mutating func erase(_ username: [UInt8]) {
        guard let user = names.find(username) else { return }
        var link = chains[user]
        while let index = link.index {
            link = devices[index].next
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
    /// Stays at the greatest where that is passed.
    fileprivate mutating func add(_ more: UInt64) { self = UInt32(clamping: UInt64(self) &+ Swift.min(more, 1 << 33)) }
}

extension Hash128 {
    static func < (a: Hash128, b: Hash128) -> Bool { (a.high, a.low) < (b.high, b.low) }
}
