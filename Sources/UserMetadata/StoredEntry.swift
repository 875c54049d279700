import SegmentFormat
import StrictJSON

// The lines that are stored: JSON with its members in one order and only those that are there (SPEC UM5).

extension LogEntry {
    public func append(to batch: LineBatch, _ key: StoreKey) {
        let user = key.user(username)
        line.withUnsafeBytes { batch.append($0, bucket: bucket, key: user.indexed) }
    }
}

extension LastLogin {
    /// A line of the stream `last-logins`.
    var line: [UInt8] {
        var json = JSONWriter()
        json.open("{")
        json.name("timestamp")
        json.time(bucket.milliseconds)
        json.name("username")
        json.string(username)
        json.name("service")
        json.string(service)
        json.close("}")
        return json.bytes
    }

    public func append(to batch: LineBatch, _ key: StoreKey) {
        let user = key.user(username)
        line.withUnsafeBytes { batch.append($0, bucket: bucket, key: user.indexed) }
    }
}

/// A line that is none of these: it was not written by this module.
public struct StoredEntryFault: Error, Equatable, Sendable, CustomStringConvertible {
    public let description: String
    init(_ fault: BodyFault) { description = "a stored entry cannot be read: \(fault)" }
}

extension LogEntry {
    /// Reads a stored line. Its timestamp is its bucket to the millisecond.
    public init(stored line: UnsafeRawBufferPointer) throws(StoredEntryFault) {
        do throws(BodyFault) {
            let fields = try Fields.whole(try JSONText.body(line), LogField.all)
            let device = try fields.object(LogField.device.rawValue, DeviceField.all)
            self.init(
                bucket: try fields.bucket(LogField.timestamp),
                username: try fields.required(LogField.username, UserBounds.username),
                device: try device.map(DeviceInfo.init(stored:)), line: Array(line),
                description: device?.description(behind: fields.start(LogField.device.rawValue)) ?? 0..<0)
        } catch { throw StoredEntryFault(error) }
    }
}

/// A stored line of `logins`, taken apart for who shows it.
public struct StoredLogin: Equatable, Sendable {
    public let bucket: Bucket
    public let type: [UInt8]?
    public let service: [UInt8]?
    public let loginMethod: [UInt8]?
    public let message: [UInt8]?
    public let device: DeviceInfo?

    public init(_ line: UnsafeRawBufferPointer) throws(StoredEntryFault) {
        do throws(BodyFault) {
            let fields = try Fields.whole(try JSONText.body(line), LogField.all)
            bucket = try fields.bucket(LogField.timestamp)
            type = try fields.text(LogField.type, UserBounds.stored)
            service = try fields.text(LogField.service, UserBounds.stored)
            loginMethod = try fields.text(LogField.loginMethod, UserBounds.stored)
            message = try fields.text(LogField.message, UserBounds.stored)
            device = try fields.object(LogField.device.rawValue, DeviceField.all).map(DeviceInfo.init(stored:))
        } catch { throw StoredEntryFault(error) }
    }
}

extension DeviceInfo {
    init(stored fields: Fields) throws(BodyFault) {
        id = try fields.hash(DeviceField.id.rawValue)
        zone = try fields.text(DeviceField.zone, UserBounds.stored)
    }
}

extension LastLogin {
    public init(stored line: UnsafeRawBufferPointer) throws(StoredEntryFault) {
        do throws(BodyFault) {
            let fields = try Fields.whole(try JSONText.body(line), LastLoginField.all)
            self.init(
                bucket: try fields.bucket(LastLoginField.timestamp),
                username: try fields.required(LastLoginField.username, UserBounds.username),
                service: try fields.required(LastLoginField.service, UserBounds.stored))
        } catch { throw StoredEntryFault(error) }
    }
}

extension Fields {
    fileprivate func bucket(_ field: some RawRepresentable<Int>) throws(BodyFault) -> Bucket {
        guard let moment = try time(field) else { throw fault(.missing, field.rawValue) }
        return Bucket(milliseconds: moment)
    }

    /// Of a stored device that opens at `open`: what stands behind its id and its place.
    fileprivate func description(behind open: Int) -> Range<Int> {
        let before = max(end(DeviceField.id.rawValue), end(DeviceField.zone.rawValue))
        let close = end - 1
        return min(before < 0 ? open + 1 : before + 1, close)..<close
    }

    /// 128 bits in hexadecimal; `nil` where the field is absent.
    func hash(_ index: Int) throws(BodyFault) -> Hash128? {
        guard let text = try text(index, 0...64) else { return nil }
        guard let hash = Hash128(hex: text) else { throw fault(.invalid("32 hexadecimal digits"), index) }
        return hash
    }
}

extension Hash128 {
    init?(hex text: [UInt8]) {
        guard text.count == 32 else { return nil }
        var halves: (high: UInt64, low: UInt64) = (0, 0)
        for (position, byte) in text.enumerated() {
            guard let digit = Ascii.hexDigit(byte) else { return nil }
            if position < 16 {
                halves.high = halves.high << 4 | UInt64(digit)
            } else {
                halves.low = halves.low << 4 | UInt64(digit)
            }
        }
        self.init(low: halves.low, high: halves.high)
    }
}
