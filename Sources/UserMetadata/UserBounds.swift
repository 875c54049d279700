/// Every bound of the user metadata; what is beyond one is refused, naming the field.
public enum UserBounds {
    /// Bytes of UTF-8 of a user's name.
    public static let username = 1...1_024
    /// Of a service, a login method, a zone, a browser, an operating system.
    public static let name = 1...255
    /// Of the type of an entry: letters, digits, `_`, `-` and `.`.
    public static let type = 1...64
    /// Of a device id, as the client made it.
    public static let device = 1...1_024
    /// Of a message and a user agent.
    public static let text = 0...4_096
    /// Of a text as it is stored: a short address in it became a longer word.
    static let stored = 0...32_768
    /// Bytes behind which a line of a checkpoint ends, and zones of a device in one part of a line: so no line is as
    /// long as a block.
    static let checkpointLine = 1 << 20
    static let checkpointZones = 1_024
    /// Users for whom room is taken at once where a checkpoint says that there are as many.
    static let reservedUsers = 1 << 22
    /// Days that a question may reach back.
    public static let days: ClosedRange<UInt64> = 1...36_525
    /// Entries of one page.
    public static let page = 1_000
    public static let defaultPage = 100
    /// Names of one question about unused accounts.
    public static let usernames = 1_000_000
    /// Accounts that are looked at for one before others get their turn with the view.
    static let stretch = 4_096
}
