import ArgumentParser
import LogEngine
import SegmentFormat
import UserMetadata

extension UsersCommand {
    struct Show: NamedUserJob {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Tells when a user was last seen, where, and with which devices.",
            discussion: "Of one whom nobody has seen there is nothing to tell, and the code is 66.")

        @Argument(help: ArgumentHelp("The user.", valueName: "name"))
        var user: String

        @OptionGroup var place: UserPlaceOptions

        @Flag(help: "Print JSON.")
        var json = false

        func ask(_ users: UserStore, _ console: Console) throws {
            let name = try AskedBody([("username", .text(user))]).read(UserQuestion.init).username
            let (logins, devices) = (users.lastLogins(of: name), users.devices(of: name))
            if json {
                let report: [(String, JSONValue)] = [
                    ("username", .text(user)), ("last_logins", .list(logins.map(\.json))),
                    ("devices", .list(devices.map(\.json))),
                ]
                try console.write(JSONValue.object(report).description + "\n")
            } else if !logins.isEmpty {
                try console.write(LastLogin.table(logins) + (devices.isEmpty ? "" : "\n"))
            }
            if !json, !devices.isEmpty { try console.write(KnownDevice.table(devices)) }
            if logins.isEmpty, devices.isEmpty { throw CommandFailure(.noInput, "nothing is known of this user") }
        }
    }

    struct Devices: NamedUserJob {
        static let configuration = CommandConfiguration(
            commandName: "devices", abstract: "Lists the devices of a user, the last used first.",
            discussion: "A device has its place in the file as a hash; which id it had nobody can tell.")

        @Argument(help: ArgumentHelp("The user.", valueName: "name"))
        var user: String

        @OptionGroup var place: UserPlaceOptions

        @Flag(help: "Print JSON, an object a line.")
        var json = false

        func ask(_ users: UserStore, _ console: Console) throws {
            let name = try AskedBody([("username", .text(user))]).read(UserQuestion.init).username
            let devices = users.devices(of: name)
            if json {
                for device in devices { try console.write(device.json.description + "\n") }
            } else {
                try console.write(KnownDevice.table(devices))
            }
        }
    }
}

extension LastLogin {
    fileprivate static func table(_ logins: [LastLogin]) -> String {
        var table = Table(["service", "last login"])
        for login in logins { table.add([text(login.service), timeText(login.bucket.milliseconds)]) }
        return table.text
    }

    fileprivate var json: JSONValue {
        .object([("service", .text(text(service))), ("last", .text(timeText(bucket.milliseconds)))])
    }
}

extension KnownDevice {
    fileprivate static func table(_ devices: [KnownDevice]) -> String {
        var table = Table(["device", "first seen", "last seen", "logins", "zones", "description"])
        for device in devices {
            let zones = device.zones.map { "\(text($0.name)) \($0.count.grouped)" }.joined(separator: ", ")
            table.add([
                device.name, timeText(device.first.milliseconds), timeText(device.last.milliseconds),
                device.count.grouped, zones.isEmpty ? "–" : zones,
                device.description.isEmpty ? "–" : text(device.description),
            ])
        }
        return table.text
    }

    private var name: String { id.hex }

    fileprivate var json: JSONValue {
        .object([
            ("device", .text(name)), ("first_seen", .text(timeText(first.milliseconds))),
            ("last_seen", .text(timeText(last.milliseconds))), ("num_logins", .number(count)),
            (
                "zones",
                .list(
                    zones.map { zone in
                        .object([
                            ("zone", .text(text(zone.name))), ("num_logins", .number(zone.count)),
                            ("last_seen", .text(timeText(zone.last.milliseconds))),
                        ])
                    })
            ),
            ("description", .text(text(description))),
        ])
    }
}

private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
