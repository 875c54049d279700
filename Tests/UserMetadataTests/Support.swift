import SegmentFormat
import Testing

@testable import UserMetadata

/// The hour of the tests: 2026-11-21T10:00:00Z.
let testNow: UInt64 = 1_795_255_200_000
let hour = Resolution(milliseconds: 3_600_000) ?? .tenMinutes
let testKey = StoreKey(Array(0..<32))

/// Knows the documentation networks, and nothing else.
struct TestCountries: CountryLookup {
    func country(of address: String) -> [UInt8]? {
        if address.hasPrefix("192.0.2.") { return Array("DE".utf8) }
        return address.hasPrefix("2001:db8:") ? Array("FR".utf8) : nil
    }
}

let door = Door(resolution: hour, key: testKey, countries: TestCountries())

func withBytes<Result>(_ text: String, _ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    try Array(text.utf8).withUnsafeBytes(body)
}

func utf8(_ text: String) -> [UInt8] { Array(text.utf8) }
func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

/// What is stored for a body of `add_log`, or why nothing is.
func addLog(_ body: String, at now: UInt64 = testNow) -> Result<String, BodyFault> {
    result(body) { (bytes) throws(BodyFault) in try door.addLog(bytes, now: now) }.map { text($0.line) }
}

func result<Value>(
    _ body: String, _ read: (UnsafeRawBufferPointer) throws(BodyFault) -> Value
) -> Result<Value, BodyFault> {
    withBytes(body) { bytes in Result { () throws(BodyFault) in try read(bytes) } }
}

func refusal<Value>(_ body: String, _ read: (UnsafeRawBufferPointer) throws(BodyFault) -> Value) -> BodyFault? {
    withBytes(body) { bytes in
        do throws(BodyFault) {
            _ = try read(bytes)
            return nil
        } catch { return error }
    }
}

extension LogEntry {
    /// An entry by its line.
    init(
        _ username: String, device: String?, at bucket: UInt64, zone: String? = nil, browser: String? = nil,
        isMobile: Bool? = nil
    ) {
        var json = JSONWriter()
        json.open("{")
        json.name("timestamp")
        json.time(bucket)
        json.name("username")
        json.string(username)
        json.name("device_info")
        json.open("{")
        if let device {
            json.name("id")
            json.hash(testKey.device(utf8(device)))
        }
        json.optionalString("remote_zone", zone.map(utf8))
        json.optionalString("browser", browser.map(utf8))
        if let isMobile {
            json.name("mobile")
            json.flag(isMobile)
        }
        json.close("}")
        json.close("}")
        do { self = try json.bytes.withUnsafeBytes { try LogEntry(stored: $0) } } catch {
            preconditionFailure("\(error)")
        }
    }

    /// What the view keeps to tell what the device is.
    var descriptionText: [UInt8] { Array(line[description]) }
}
