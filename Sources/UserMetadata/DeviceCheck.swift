import SegmentFormat

/// What the history of a user says of a device and a place (SPEC UM9). It is a function of the view, the
/// device and the bucket of now, and changes nothing.
public struct DeviceCheck: Equatable, Sendable {
    /// Why a login deserves a second look.
    public enum Risk: String, CaseIterable, Sendable {
        /// No device of the user is known.
        case newUser = "new_user"
        /// Devices of the user are known, and this is none of them.
        case newDevice = "new_device"
        /// The place is given, places of the user are known, and it is none of them.
        case newCountry = "new_country"
        /// The device is known, and was last used more than 90 days ago.
        case dormantDevice = "dormant_device"
    }

    /// The device as it is known; `nil` where the user never used it.
    public let known: KnownDevice?
    /// The place fits the user's history.
    public let locationMatches: Bool
    /// Of all devices of the user, the one that weighs most first.
    public let zones: [[UInt8]]
    public let risks: [Risk]

    public static let dormantDays: UInt64 = 90
    /// What was seen in a place weighs half as much after so many days.
    public static let halfLifeDays: UInt64 = 30

    private static let dayMilliseconds: UInt64 = 86_400_000

    /// - Parameter history: the devices of the user.
    public init(_ device: DeviceInfo, history: [KnownDevice], now: Bucket) {
        let known = device.id.flatMap { id in history.first { $0.id == id } }
        let places = Self.places(history)
        let weighed = places.map { (zone: $0, weight: Self.weight($0, now)) }
        self.known = known
        locationMatches = weighed.contains { $0.zone.name == device.zone && $0.weight > 0 }
        zones = weighed.sorted {
            ($1.weight, $1.zone.last) == ($0.weight, $0.zone.last)
                ? $0.zone.name.lexicographicallyPrecedes($1.zone.name)
                : ($1.weight, $1.zone.last) < ($0.weight, $0.zone.last)
        }.map(\.zone.name)
        let isNewPlace = device.zone.map { zone in !places.isEmpty && !places.contains { $0.name == zone } } ?? false
        let reasons: [(Risk, Bool)] = [
            (.newUser, history.isEmpty),
            (.newDevice, !history.isEmpty && known == nil),
            (.newCountry, isNewPlace),
            (.dormantDevice, known.map { Self.days(since: $0.last, now) > Self.dormantDays } ?? false),
        ]
        risks = reasons.filter(\.1).map(\.0)
    }

    /// The places of all devices together.
    private static func places(_ history: [KnownDevice]) -> [KnownZone] {
        var places: [[UInt8]: KnownZone] = [:]
        for zone in history.flatMap(\.zones) {
            var place = places[zone.name] ?? KnownZone(name: zone.name, count: 0, last: .earliest)
            place.count += zone.count
            place.last = max(place.last, zone.last)
            places[zone.name] = place
        }
        return Array(places.values)
    }

    /// How often the user was seen there, halved for every 30 days since the last time: 0 once that leaves
    /// less than one. Seen once, a place fits for 30 days; 10 times, for 120; 1,000 times, for 300.
    private static func weight(_ place: KnownZone, _ now: Bucket) -> UInt64 {
        place.count >> (days(since: place.last, now) / halfLifeDays)
    }

    /// Whole days; 0 where the clock went back.
    private static func days(since last: Bucket, _ now: Bucket) -> UInt64 {
        (now.milliseconds - min(now.milliseconds, last.milliseconds)) / dayMilliseconds
    }
}
