/// Reads secrets: from a variable or the file that one names, from systemd's credentials, from the
/// configuration file or the file that it names.
struct SecretReader {
    private let reading: Reading

    init(_ reading: Reading) { self.reading = reading }

    func secret(_ member: String, _ section: inout Section) -> Secret? {
        let name = section.name(member)
        let written = section.member(member)
        let path = section.value("\(member)_file", .path(credentials: reading.overrides.credentials))
        if written != nil, path != nil {
            reading.refuse(section.origin(of: member), name, "is given, and so is \(name)_file; keep one")
        }
        if let text = reading.variable(Overrides.variable(name, flag: nil)) {
            return section.value(text, .key, name, .environment(Overrides.variable(name, flag: nil)))
        }
        if let path, case .environment = reading.origin("\(name)_file") {
            return secret(in: path, name, section, reading.origin("\(name)_file"))
        }
        if let credentials = reading.overrides.credentials, FileCheck.exists("\(credentials)/\(name)") {
            return secret(in: "\(credentials)/\(name)", name, section, .credential("\(credentials)/\(name)"))
        }
        if let path { return secret(in: path, name, section, reading.origin("\(name)_file")) }
        guard let written, let file = reading.file else { return nil }
        return privately(file, name, .file(written.place)) { section.value(written, .key, name) }
    }

    private func secret(in path: String, _ name: String, _ section: Section, _ origin: Origin) -> Secret? {
        privately(path, name, origin) {
            do throws(Refusal) {
                let bytes = try FileCheck.contents(path, limit: ConfigurationBounds.secretFileBytes)
                let text = String(decoding: bytes, as: UTF8.self)
                return section.value(String(text.prefix { $0 != "\n" && $0 != "\r\n" }), .key, name, origin)
            } catch {
                reading.refuse(origin, name, "\(path) \(error.reason)")
                return nil
            }
        }
    }

    /// Takes nothing from a file that others can read.
    private func privately(_ path: String, _ name: String, _ origin: Origin, _ body: () -> Secret?) -> Secret? {
        do {
            try FileCheck.bePrivate(path)
            return body()
        } catch {
            reading.refuse(origin, name, "\(path) \(error.reason)")
            return nil
        }
    }
}
