import Settings

extension Configuration {
    /// Of user metadata, each once.
    var userDirectories: [String] {
        Self.each(listeners.filter { $0.role == .userMetadata }.compactMap(\.data))
    }

    /// Of interactions, each once.
    var storeDirectories: [String] {
        let users = userDirectories
        return Self.each(storeListeners.compactMap(\.data)).filter { data in
            !users.contains { DataDirectory.isSame($0, data) }
        }
    }

    /// Those that serve a directory, or tell of it.
    func listeners(of data: String) -> [Listener] {
        storeListeners.filter { $0.data.map { DataDirectory.isSame($0, data) } ?? false }
    }

    private static func each(_ directories: [String]) -> [String] {
        directories.reduce(into: []) { each, data in
            if !each.contains(where: { DataDirectory.isSame($0, data) }) { each.append(data) }
        }
    }
}
