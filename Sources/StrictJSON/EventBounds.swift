/// What an event may be, whichever stream it is of (SPEC T1).
public enum EventBounds {
    /// The length of the longest event, in bytes as received.
    public static let byteCount = 1_048_576
    /// How deep objects and arrays may be nested, the event itself being 1.
    public static let depth = 64
    /// A timestamp that is a number; the last is the last millisecond of the year 9999.
    public static let timestamps: ClosedRange<UInt64> = 1...253_402_300_799_999
}
