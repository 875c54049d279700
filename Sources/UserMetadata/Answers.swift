import SegmentFormat
import StrictJSON

/// The bodies of answers (SPEC UM10). Names of which the originals' are not known come twice.
public enum Answers {
    public static let empty = Array("{}".utf8)

    /// `/api/get_user_logs`: stored lines as they are, the newest first. Where some could not be read that is said.
    public static func logs(_ lines: [[UInt8]], cursor: [UInt8]? = nil, isComplete: Bool = true) -> [UInt8] {
        twice(cursor, isComplete) { json in
            for line in lines { json.raw(line) }
        }
    }

    /// `/api/get_last_login`.
    public static func lastLogins(_ logins: [LastLogin]) -> [UInt8] {
        twice(nil, true) { json in
            for login in logins { json.raw(login.line) }
        }
    }

    private static func twice(
        _ cursor: [UInt8]?, _ isComplete: Bool, _ elements: (inout JSONWriter) -> Void
    ) -> [UInt8] {
        var list = JSONWriter(capacity: 4_096)
        list.open("[")
        elements(&list)
        list.close("]")
        var json = JSONWriter(capacity: 2 * list.bytes.count + 64)
        json.open("{")
        json.name("result")
        json.raw(list.bytes)
        json.name("results")
        json.raw(list.bytes)
        json.optionalString("cursor", cursor)
        if !isComplete {
            json.name("complete")
            json.flag(false)
        }
        json.close("}")
        return json.bytes
    }

    /// `/api/get_user_devices`, the last used first.
    public static func devices(_ devices: [KnownDevice]) -> [UInt8] {
        var json = JSONWriter(capacity: 4_096)
        json.open("{")
        json.name("devices")
        json.open("[")
        for device in devices {
            json.open("{")
            json.name("device_info")
            writeInfo(of: device, to: &json)
            write(device, to: &json)
            json.close("}")
        }
        json.close("]")
        json.close("}")
        return json.bytes
    }

    private static func writeInfo(of device: KnownDevice, to json: inout JSONWriter) {
        json.open("{")
        json.name("id")
        json.hash(device.id)
        let lastZone = device.zones.max { a, b in
            a.last == b.last ? b.name.lexicographicallyPrecedes(a.name) : a.last < b.last
        }
        json.optionalString("remote_zone", lastZone?.name)
        if !device.description.isEmpty { json.raw(device.description) }
        json.close("}")
    }

    private static func write(_ device: KnownDevice, to json: inout JSONWriter) {
        json.name("first_seen")
        json.time(device.first.milliseconds)
        json.name("last_seen")
        json.time(device.last.milliseconds)
        json.name("num_logins")
        json.integer(device.count)
    }

    /// `/api/check_device`. Of a device that was never seen there are no times, and 0 logins.
    public static func check(_ check: DeviceCheck) -> [UInt8] {
        var json = JSONWriter()
        json.open("{")
        json.name("seen")
        json.flag(check.known != nil)
        if let known = check.known {
            write(known, to: &json)
        } else {
            json.name("num_logins")
            json.integer(0)
        }
        json.name("location_match")
        json.flag(check.locationMatches)
        json.name("known_zones")
        json.strings(check.zones)
        json.name("risk")
        json.strings(check.risks.map { Array($0.rawValue.utf8) })
        json.close("}")
        return json.bytes
    }

    /// `/api/get_unused_accounts`.
    public static func unused(_ accounts: UnusedAccounts) -> [UInt8] {
        var json = JSONWriter(capacity: 64 + accounts.usernames.count * 24)
        json.open("{")
        json.name("unused_usernames")
        json.strings(accounts.usernames)
        json.optionalString("cursor", accounts.next)
        json.close("}")
        return json.bytes
    }
}
