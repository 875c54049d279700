import Glibc
import LogEngine
import SegmentFormat
import StrictJSON

// What the engine is told of the lines of both streams: whose they are (SPEC UM4, UM5).

/// The part of a stored line that is read most: its user.
enum UserLine {
    private static let start: StaticString = "{\"timestamp\":\""
    private static let name: StaticString = "\",\"username\":"

    /// Where the JSON string of the user begins; `nil` for a line that is none of ours.
    static func nameStart(_ line: UnsafeRawBufferPointer) -> Int? {
        // `2026-11-21T10:00:00Z`, with or without milliseconds.
        for length in [20, 24] {
            let end = start.utf8CodeUnitCount + length
            if holds(line, name, at: end) { return end + name.utf8CodeUnitCount }
        }
        return nil
    }

    private static func holds(_ line: UnsafeRawBufferPointer, _ text: StaticString, at index: Int) -> Bool {
        guard let base = line.baseAddress, index + text.utf8CodeUnitCount <= line.count else { return false }
        return memcmp(base + index, text.utf8Start, text.utf8CodeUnitCount) == 0
    }

    static func username(_ line: UnsafeRawBufferPointer) -> [UInt8]? {
        guard let start = nameStart(line), let text = JSONText(line), text.byte(at: start) == Ascii.quote else {
            return nil
        }
        do throws(EventFault) {
            let end = try text.stringEnd(from: start + 1)
            let range = start + 1..<end.index - 1
            return end.isEscaped ? text.unescaped(range) : text.bytes(range)
        } catch { return nil }
    }
}

extension StoreKey {
    /// What the engine has to know of either stream. With `succession`, which lines others make needless.
    public func streamKeys(succession: StreamKeys.Succession? = nil) -> StreamKeys {
        var keys = StreamKeys(hidesArrival: true) { line in UserLine.username(line).map(user) }
        keys.succession = succession
        return keys
    }
}

/// Says of stored lines whether they are of one user, without taking them apart.
public struct UserMatcher: Sendable {
    private let name: [UInt8]

    public init(_ username: [UInt8]) {
        var json = JSONWriter()
        json.string(username)
        name = json.bytes
    }

    public func matches(_ line: UnsafeRawBufferPointer) -> Bool {
        guard let base = line.baseAddress, let start = UserLine.nameStart(line), start + name.count <= line.count
        else { return false }
        return memcmp(base + start, name, name.count) == 0
    }
}
