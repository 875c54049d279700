import SegmentFormat

/// The name of an event: 32 lower-case hex digits, the store's id and the sequence (SPEC I1).
public struct EventID: Hashable, Sendable, CustomStringConvertible {
    public static let byteCount = 32

    public let store: StoreID
    public let sequence: Sequence

    public init(store: StoreID, sequence: Sequence) {
        self.store = store
        self.sequence = sequence
    }

    /// `nil` for anything but 32 lower-case hex digits.
    public init?(_ text: some StringProtocol) {
        let digits = Array(text.utf8)
        guard digits.count == Self.byteCount, let store = Self.value(digits[..<16]),
            let sequence = Self.value(digits[16...])
        else { return nil }
        self.init(store: StoreID(store), sequence: Sequence(sequence))
    }

    private static func value(_ digits: ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        for digit in digits {
            switch digit {
            case 0x30...0x39: value = value << 4 | UInt64(digit - 0x30)
            case 0x61...0x66: value = value << 4 | UInt64(digit - 0x61 + 10)
            default: return nil
            }
        }
        return value
    }

    /// Writes the 32 ASCII digits.
    public func write(to place: UnsafeMutableRawPointer) {
        Self.write(store.value, to: place)
        Self.write(sequence.value, to: place + 16)
    }

    private static func write(_ value: UInt64, to place: UnsafeMutableRawPointer) {
        for index in 0..<16 {
            let digit = UInt8(truncatingIfNeeded: value >> UInt64(60 - 4 * index)) & 0xF
            place.storeBytes(of: digit < 10 ? 0x30 + digit : 0x57 + digit, toByteOffset: index, as: UInt8.self)
        }
    }

    public var description: String {
        String(unsafeUninitializedCapacity: Self.byteCount) {
            write(to: UnsafeMutableRawPointer($0.baseAddress.unsafelyUnwrapped))
            return Self.byteCount
        }
    }
}
