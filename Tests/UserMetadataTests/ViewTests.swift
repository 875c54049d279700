import SegmentFormat
import TestSupport
import Testing

@testable import UserMetadata

/// Entries of a few users, devices and places over 200 hours, many of them in one bucket.
struct RandomEntries {
    var random: SeededRandom

    mutating func entry() -> LogEntry {
        let user = pick(["ann", "bob", "cid", "dora", "ü\"\\"])
        return LogEntry(
            user, device: random.oneIn(3) ? nil : pick(["d1", "d2", "d3"]), at: bucket(),
            zone: random.oneIn(3) ? nil : pick(["DE", "FR", "IT"]), browser: random.oneIn(3) ? nil : pick(["a", "b"]),
            isMobile: random.oneIn(4) ? random.oneIn(2) : nil)
    }

    mutating func login() -> LastLogin {
        LastLogin(
            bucket: Bucket(milliseconds: bucket()), username: utf8(pick(["ann", "bob", "cid"])),
            service: utf8(pick(["imap", "web", "ü"])))
    }

    mutating func pick(_ choices: [String]) -> String { choices[Int.random(in: 0..<choices.count, using: &random)] }
    private mutating func bucket() -> UInt64 { testNow - UInt64.random(in: 0..<200, using: &random) * 3_600_000 }
}

/// What is known of each device, kept the plain way.
struct PlainDevices {
    private(set) var users: [[UInt8]: [Hash128: KnownDevice]] = [:]

    mutating func fold(_ entry: LogEntry) {
        guard let info = entry.device, let id = info.id else { return }
        var device =
            users[entry.username]?[id]
            ?? KnownDevice(
                id: id, first: entry.bucket, last: entry.bucket, count: 0, zones: [], description: entry.descriptionText
            )
        device.count += 1
        if entry.bucket > device.last
            || entry.bucket == device.last && device.description.lexicographicallyPrecedes(entry.descriptionText)
        {
            device.description = entry.descriptionText
        }
        device.first = min(device.first, entry.bucket)
        device.last = max(device.last, entry.bucket)
        if let name = info.zone {
            var zone = device.zones.first { $0.name == name } ?? KnownZone(name: name, count: 0, last: entry.bucket)
            zone.count += 1
            zone.last = max(zone.last, entry.bucket)
            device.zones = (device.zones.filter { $0.name != name } + [zone])
                .sorted { $0.name.lexicographicallyPrecedes($1.name) }
        }
        users[entry.username, default: [:]][id] = device
    }

    mutating func erase(_ username: [UInt8]) { users[username] = nil }
    func devices(of username: [UInt8]) -> [Hash128: KnownDevice] { users[username] ?? [:] }
}

extension DeviceView {
    func checkpoint(through: Sequence = Sequence(9)) -> [String] {
        var lines: [String] = []
        writeCheckpoint(through: through, key: testKey.user([])) { lines.append(text($0)) }
        return lines
    }
}

extension LastLoginView {
    func checkpoint(through: Sequence = Sequence(9)) -> [String] {
        var lines: [String] = []
        writeCheckpoint(through: through, key: testKey.user([])) { lines.append(text($0)) }
        return lines
    }
}

func restored<View: CheckpointedView>(
    _ lines: [String], _: View.Type, seed: UInt64 = 5, isErased: ([UInt8]) -> Bool = { _ in false }
) throws -> (view: View, through: Sequence) {
    var reader = CheckpointReader<View>(seed: seed, key: testKey.user([]))
    for line in lines { try withBytes(line) { try reader.take($0, isErased: isErased) } }
    return try reader.finish()
}

@Suite("The view of devices")
struct DeviceViewTests {
    @Test(
        "it says what a plain count of the entries says, with erasures in between",
        arguments: 1...20 as ClosedRange<UInt64>)
    func model(seed: UInt64) {
        var source = RandomEntries(random: SeededRandom(seed: seed))
        var (view, plain) = (DeviceView(seed: seed), PlainDevices())
        for step in 0..<600 {
            let entry = source.entry()
            view.fold(entry)
            plain.fold(entry)
            guard step % 50 == 49 else { continue }
            let name = utf8(source.pick(["ann", "bob", "cid", "nobody"]))
            view.erase(name)
            plain.erase(name)
            #expect(view.devices(of: name).isEmpty)
        }
        for name in ["ann", "bob", "cid", "dora", "ü\"\\", "nobody"].map(utf8) {
            let devices = view.devices(of: name)
            #expect(Dictionary(uniqueKeysWithValues: devices.map { ($0.id, $0) }) == plain.devices(of: name))
            #expect(zip(devices, devices.dropFirst()).allSatisfy { $0.last >= $1.last })
        }
        #expect(view.userCount == plain.users.count)
        let known = plain.users.values.flatMap(\.values)
        #expect(view.descriptions.count == Set(known.map(\.description)).count)
        #expect(view.zoneNames.count == Set(known.flatMap(\.zones).map(\.name)).count)
    }

    @Test(
        "neither the order of the entries nor a checkpoint among them makes a difference",
        arguments: 1...20 as ClosedRange<UInt64>)
    func replay(seed: UInt64) throws {
        var source = RandomEntries(random: SeededRandom(seed: seed))
        let entries = (0..<400).map { _ in source.entry() }
        var whole = DeviceView(seed: 1)
        for entry in entries { whole.fold(entry) }
        var shuffled = DeviceView(seed: 2)
        for entry in entries.shuffled(using: &source.random) { shuffled.fold(entry) }
        #expect(shuffled.checkpoint() == whole.checkpoint())

        let cut = Int.random(in: 0...entries.count, using: &source.random)
        var front = DeviceView(seed: 3)
        for entry in entries[..<cut] { front.fold(entry) }
        var (tail, through) = try restored(front.checkpoint(through: Sequence(UInt64(cut))), DeviceView.self)
        #expect(through == Sequence(UInt64(cut)))
        for entry in entries[cut...] { tail.fold(entry) }
        #expect(tail.checkpoint() == whole.checkpoint())
    }

    @Test("a checkpoint leaves out who was erased since")
    func erased() throws {
        var view = DeviceView(seed: 1)
        view.fold(LogEntry("ann", device: "d", at: testNow))
        view.fold(LogEntry("bob", device: "d", at: testNow))
        let back = try restored(view.checkpoint(), DeviceView.self) { $0 == utf8("ann") }
        #expect(back.view.userCount == 1)
        #expect(back.view.devices(of: utf8("ann")).isEmpty)
    }

    @Test("an erased user begins afresh, and the room is used again")
    func afresh() {
        var view = DeviceView(seed: 1)
        for _ in 0..<3 { view.fold(LogEntry("ann", device: "d", at: testNow - 3_600_000, zone: "DE")) }
        view.erase(utf8("ann"))
        view.erase(utf8("ann"))
        view.fold(LogEntry("ann", device: "d", at: testNow))
        #expect(view.devices(of: utf8("ann")).map(\.count) == [1])
        #expect(view.devices(of: utf8("ann")).flatMap(\.zones).isEmpty)
    }

    @Test("a description is forgotten with the last device that has it")
    func descriptions() {
        var view = DeviceView(seed: 1)
        for hour in 0..<3_000 as Range<UInt64> {
            view.fold(LogEntry("ann", device: "d", at: hour * 3_600_000, browser: "b\(hour % 1_000)"))
        }
        view.fold(LogEntry("bob", device: "d", at: 0, zone: "DE", browser: "b999"))
        #expect(view.descriptions.count == 1)
        view.erase(utf8("ann"))
        #expect(view.devices(of: utf8("bob")).map { text($0.description) } == [#""browser":"b999""#])
        view.erase(utf8("bob"))
        #expect(view.descriptions.count == 0 && view.zoneNames.count == 0)
    }

    @Test("a line of a checkpoint reads as this")
    func format() {
        var view = DeviceView(seed: 1)
        view.fold(LogEntry("ann", device: "d", at: 3_600_000, zone: "DE", browser: "x"))
        let key = testKey.user([]).hex
        let device = testKey.device(utf8("d")).hex
        #expect(
            view.checkpoint() == [
                #"{"view":"devices","version":1,"through":9,"users":1,"key":"\#(key)"}"#,
                #"{"username":"ann","devices":[{"id":"\#(device)","first":3600000,"last":3600000,"count":1,"#
                    + #""zones":[{"zone":"DE","count":1,"last":3600000}],"about":{"browser":"x"}}]}"#,
            ])
    }
}

@Suite("Long lines of checkpoints")
struct LongCheckpointTests {
    @Test("much of one user is in several lines, none as long as a block, and comes back")
    func manyDevices() throws {
        var view = DeviceView(seed: 1)
        let agent = String(repeating: "\u{1}", count: 100)
        for number in 0..<3_000 { view.fold(LogEntry("ann", device: "d\(number)", at: testNow, browser: agent)) }
        for number in 0..<2_500 { view.fold(LogEntry("bob", device: "d", at: testNow, zone: "\(number)" + agent)) }
        let lines = view.checkpoint()
        #expect(lines.count > 4 && lines.allSatisfy { $0.utf8.count < 3 << 20 })
        #expect(try restored(lines, DeviceView.self).view.checkpoint() == lines)
    }

    @Test("the same of last logins")
    func manyServices() throws {
        var view = LastLoginView(seed: 1)
        for number in 0..<6_000 {
            let service = utf8("\(number)" + String(repeating: "s", count: 200))
            view.fold(LastLogin(bucket: Bucket(milliseconds: testNow), username: utf8("ann"), service: service))
        }
        let lines = view.checkpoint()
        #expect(lines.count > 2 && lines.allSatisfy { $0.utf8.count < 3 << 20 })
        #expect(try restored(lines, LastLoginView.self).view.checkpoint() == lines)
    }
}

@Suite("Checkpoints that are none")
struct CheckpointFaultTests {
    private var lines: [String] {
        var view = DeviceView(seed: 1)
        view.fold(LogEntry("ann", device: "d", at: testNow, zone: "DE"))
        view.fold(LogEntry("bob", device: "d", at: testNow))
        return view.checkpoint()
    }

    private func fault(_ lines: [String]) -> CheckpointFault? {
        do {
            _ = try restored(lines, DeviceView.self)
            return nil
        } catch { return error as? CheckpointFault }
    }

    @Test("a user too few or too many, and no line at all")
    func count() {
        #expect(fault(lines) == nil)
        #expect(fault(lines.dropLast()) == .count(expected: 2, found: 1))
        #expect(fault(lines + [lines[1].replacing("ann", with: "cid")]) == .count(expected: 2, found: 3))
        #expect(fault([]) == .line(0, "there is none"))
    }

    @Test("another view and another key")
    func others() throws {
        let other = LastLoginView(seed: 1).checkpoint()
        #expect(fault(other) == .otherView)
        var reader = CheckpointReader<DeviceView>(seed: 1, key: testKey.device([]))
        #expect(throws: CheckpointFault.otherKey) { try withBytes(lines[0]) { try reader.take($0) } }
    }

    @Test("a line that is not what it should be is told by its number", arguments: [0, 1, 2])
    func line(index: Int) {
        for broken in ["", "{}", lines[index].dropLast() + "", lines[index].replacing("\"", with: "'")] {
            var lines = lines
            lines[index] = String(broken)
            guard case .line(index, _) = fault(lines) else {
                Issue.record("\(broken) was taken for line \(index)")
                continue
            }
        }
    }

    @Test(
        "counts, times and ids outside their bounds",
        arguments: [
            (#""count":1"#, #""count":0"#), (#""count":1"#, #""count":4294967296"#), (#""first":"#, #""first":-"#),
            (#""id":""#, #""id":"0"#), (#""zone":"DE","#, ""), (#""devices":["#, #""devices":{"a":["#),
        ])
    func values(part: String, other: String) {
        var lines = lines
        lines[1] = lines[1].replacing(part, with: other)
        guard case .line(1, _) = fault(lines) else {
            Issue.record("taken: \(lines[1])")
            return
        }
    }
}

@Suite("The view of last logins")
struct LastLoginViewTests {
    @Test(
        "neither order nor repetition nor a checkpoint makes a difference",
        arguments: 1...20 as ClosedRange<UInt64>)
    func replay(seed: UInt64) throws {
        var source = RandomEntries(random: SeededRandom(seed: seed))
        let logins = (0..<200).map { _ in source.login() }
        var plain: [[[UInt8]]: Bucket] = [:]
        var view = LastLoginView(seed: 1)
        for login in logins {
            let key = [login.username, login.service]
            #expect(view.isNews(login) == (plain[key].map { login.bucket > $0 } ?? true))
            view.fold(login)
            plain[key] = max(plain[key] ?? .earliest, login.bucket)
        }
        for (key, bucket) in plain { #expect(view.last(of: key[0], service: key[1]) == bucket) }
        #expect(["ann", "bob", "cid"].map { view.logins(of: utf8($0)).count }.reduce(0, +) == plain.count)

        let cut = Int.random(in: 0...logins.count, using: &source.random)
        var front = LastLoginView(seed: 2)
        for login in logins[..<cut] { front.fold(login) }
        var tail = try restored(front.checkpoint(), LastLoginView.self).view
        for login in (logins[cut...] + logins).shuffled(using: &source.random) { tail.fold(login) }
        #expect(tail.checkpoint() == view.checkpoint())
    }

    @Test("a line of a checkpoint reads as this, and who was erased is left out")
    func format() throws {
        var view = LastLoginView(seed: 1)
        for (name, service, bucket) in [("bob", "web", UInt64(7)), ("bob", "imap", 3), ("ann", "web", 5)] {
            view.fold(LastLogin(bucket: Bucket(milliseconds: bucket), username: utf8(name), service: utf8(service)))
        }
        #expect(
            Array(view.checkpoint().dropFirst()) == [
                #"{"username":"ann","services":[{"service":"web","last":5}]}"#,
                #"{"username":"bob","services":[{"service":"imap","last":3},{"service":"web","last":7}]}"#,
            ])
        let back = try restored(view.checkpoint(), LastLoginView.self) { $0 == utf8("bob") }.view
        #expect(back.logins(of: utf8("bob")).isEmpty)
        #expect(back.userCount == 1)
    }

    @Test("an erased user was never seen")
    func erase() {
        var view = LastLoginView(seed: 1)
        view.fold(LastLogin(bucket: Bucket(milliseconds: testNow), username: utf8("ann"), service: utf8("s")))
        view.erase(utf8("ann"))
        #expect(view.logins(of: utf8("ann")).isEmpty)
        #expect(view.unused(of: [utf8("ann")], since: .earliest, service: nil) == [utf8("ann")])
        #expect(view.userCount == 0 && view.services.count == 0)
    }
}

@Suite("Unused accounts")
struct UnusedAccountTests {
    private static func view() -> LastLoginView {
        var view = LastLoginView(seed: 1)
        for (name, service, days) in [
            ("ann", "web", UInt64(1)), ("ann", "imap", 40), ("bob", "web", 30), ("cid", "web", 31),
            ("dora", "imap", 90),
        ] {
            view.fold(
                LastLogin(
                    bucket: Bucket(milliseconds: testNow - days * 86_400_000), username: utf8(name),
                    service: utf8(service)))
        }
        return view
    }

    private func question(_ body: String) throws -> UnusedAccountsQuestion {
        try withBytes(body) { try UnusedAccountsQuestion($0) }
    }

    @Test(
        "who has no login in the last days, and who was never seen; a bucket counts as its end",
        arguments: [
            (30, nil, UInt64(0), ["zoe", "dora", "cid"]), (31, nil, 0, ["zoe", "dora"]), (90, nil, 0, ["zoe"]),
            (30, nil, 3_599_999, ["zoe", "dora", "cid"]), (30, nil, 3_600_000, ["zoe", "dora", "cid", "bob"]),
            (30, "imap", 0, ["zoe", "dora", "cid", "bob", "ann"]), (40, "imap", 0, ["zoe", "dora", "cid", "bob"]),
            (365, "pop", 0, ["zoe", "dora", "cid", "bob", "ann"]),
        ] as [(UInt64, String?, UInt64, [String])])
    func unused(days: UInt64, service: String?, later: UInt64, expected: [String]) throws {
        let names = #"["zoe","dora","cid","bob","ann"]"#
        let filter = service.map { #","service":"\#($0)""# } ?? ""
        let asked = try question(#"{"usernames":\#(names),"days":\#(days)\#(filter)}"#)
        let since = asked.since(now: testNow + later, resolution: hour)
        let found = Self.view().unused(of: asked.usernames ?? [], since: since, service: asked.service)
        #expect(found.map(text) == expected)
    }

    private func page(
        _ view: LastLoginView, since: UInt64, after: [UInt8]?, limit: Int
    ) -> UnusedAccounts {
        var search = UnusedSearch(since: Bucket(milliseconds: since), service: nil, after: after, limit: limit)
        while search.goOn(in: view) {}
        return search.page
    }

    @Test("the pages of all known accounts together are all of them, by name", arguments: 1...5)
    func pages(limit: Int) {
        let view = Self.view()
        var (names, after) = ([String](), [UInt8]?.none)
        repeat {
            let page = page(view, since: testNow - 1, after: after, limit: limit)
            #expect(page.usernames.count <= limit)
            names += page.usernames.map(text)
            after = page.next
        } while after != nil
        #expect(names == ["ann", "bob", "cid", "dora"])
    }

    @Test("of many accounts the first by name are found without sorting all")
    func many() {
        var view = LastLoginView(seed: 1)
        var random = SeededRandom(seed: 4)
        let names = (0..<5_000).map { String($0, radix: 36) }.shuffled(using: &random)
        for name in names { view.fold(LastLogin(bucket: .earliest, username: utf8(name), service: utf8("s"))) }
        let page = page(view, since: 1, after: utf8("2"), limit: 20)
        let expected = names.filter { $0 > "2" }.sorted().prefix(20)
        #expect(page.usernames.map(text) == Array(expected))
        #expect(page.next == expected.last.map(utf8))
    }

    @Test("others get their turn with the view while all accounts are looked through")
    func stretches() {
        var view = LastLoginView(seed: 1)
        for name in 0..<10_000 {
            view.fold(LastLogin(bucket: .earliest, username: utf8("u\(10_000 + name)"), service: utf8("s")))
        }
        var search = UnusedSearch(since: Bucket(milliseconds: 1), service: nil, after: nil, limit: 9_999)
        let isUnfinished = search.goOn(in: view)
        #expect(isUnfinished)
        // One that was looked at, one that was not yet, and one more.
        view.erase(utf8("u10000"))
        view.erase(utf8("u19999"))
        view.fold(LastLogin(bucket: .earliest, username: utf8("u2"), service: utf8("s")))
        while search.goOn(in: view) {}
        let names = search.page.usernames.map(text)
        #expect(names.first == "u10000" && names.last == "u19998" && names.count == 9_999)
    }
}

@Suite("Texts by number")
struct TextTableTests {
    @Test("what was put in is found, what was taken out is not", arguments: 1...10 as ClosedRange<UInt64>)
    func model(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var table = TextTable(seed: seed)
        var numbers: [String: Int] = [:]
        let suffix = String(repeating: "x", count: 60)
        for _ in 0..<3_000 {
            let name = "t\(Int.random(in: 0..<300, using: &random))" + suffix
            if random.oneIn(3), let number = numbers.removeValue(forKey: name) {
                table.remove(number)
            } else {
                let number = table.insert(utf8(name))
                #expect(numbers[name] ?? number == number)
                numbers[name] = number
            }
        }
        for index in 0..<300 { #expect(table.find(utf8("t\(index)" + suffix)) == numbers["t\(index)" + suffix]) }
        #expect(table.count == numbers.count)
        #expect(Set(numbers.values).count == numbers.count)
        #expect(table.sorted.map { text(table[$0]) } == numbers.keys.sorted())
        // Several times as much came and went.
        let live = numbers.keys.map(\.utf8.count).reduce(0, +)
        #expect(table.bytes.count <= max(2 * live, live + 4_096))
    }

    @Test("the empty text is a text")
    func empty() {
        var table = TextTable(seed: 1)
        #expect(table.insert([]) == 0)
        #expect(table.insert([]) == 0)
        #expect(table.find([]) == 0)
        #expect(table[0] == [])
    }
}
