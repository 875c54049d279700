/// What is running.
public enum Build {
    public static let version = "0.1.0"
    /// Of the files (SPEC F5).
    public static let format = 1

    static let json = #"{"version":"\#(version)","format":\#(format)}"# + "\n"
}
