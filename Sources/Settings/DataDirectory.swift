/// Directories by what they are, not by how they are written.
public enum DataDirectory {
    /// Whether two paths lead to the same place, also by way of links. What is not there yet is taken as written.
    public static func isSame(_ one: String, _ other: String) -> Bool {
        FileCheck.canonical(one) == FileCheck.canonical(other)
    }
}
