import Glibc
import Testing

@testable import daybook

/// Imports point down only: what each target may import, and nothing else.
@Suite("imports")
struct ImportTests {
    private static let allowed: [String: Set<String>] = [
        "SegmentFormat": ["CLZ4", "CXXHash", "CZstd", "Glibc"],
        "BodyDecoding": ["CLZ4", "CXXHash", "CZlib", "CZstd"],
        "LogEngine": ["SegmentFormat", "Glibc", "Synchronization"],
        "StrictJSON": ["Glibc"],
        "Interactions": ["SegmentFormat", "LogEngine", "StrictJSON", "Glibc"],
        "Settings": ["Glibc", "Yams"],
        "UserMetadata": [
            "SegmentFormat", "LogEngine", "StrictJSON", "Glibc", "Synchronization", "CMaxMindDB", "Crypto",
        ],
        "Forwarding": [
            "SegmentFormat", "LogEngine", "Synchronization", "AsyncHTTPClient", "FoundationEssentials", "NIOCore",
            "NIOPosix", "NIOSSL",
        ],
        "WebAPI": [
            "BodyDecoding", "SegmentFormat", "LogEngine", "StrictJSON", "Interactions", "UserMetadata", "Glibc",
            "Synchronization",
            "CoreMetrics", "Crypto", "HTTPTypes", "HummingbirdCore", "Logging", "NIOCore", "NIOHTTP1", "NIOHTTP2",
            "NIOHTTPTypes", "NIOHTTPTypesHTTP2", "NIOPosix", "NIOSSL", "NIOTLS", "ServiceLifecycle", "X509",
        ],
        "daybook": [
            "CSQLite", "SegmentFormat", "LogEngine", "StrictJSON", "Interactions", "UserMetadata", "Forwarding",
            "Settings", "WebAPI", "Glibc", "Synchronization",
            "ArgumentParser", "AsyncHTTPClient", "FoundationEssentials", "Logging", "NIOCore", "NIOPosix", "NIOSSL",
            "ServiceLifecycle", "UnixSignals",
        ],
    ]

    @Test("each target imports what its row allows", arguments: allowed.keys.sorted())
    func table(target: String) throws {
        let allowed = try #require(Self.allowed[target])
        let files = Self.swiftFiles(below: "\(Self.root)/Sources/\(target)")
        #expect(!files.isEmpty)
        for file in files {
            let forbidden = Self.imports(of: file).subtracting(allowed)
            #expect(forbidden.isEmpty, "\(file) imports \(forbidden.sorted().joined(separator: ", "))")
        }
    }

    @Test("the table names every target")
    func complete() {
        let folders = Self.names(in: "\(Self.root)/Sources").filter {
            !Self.swiftFiles(below: "\(Self.root)/Sources/\($0)").isEmpty
        }
        #expect(Set(folders) == Set(Self.allowed.keys))
    }

    /// The package: two folders above this file's.
    private static let root = #filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" }

    private static func swiftFiles(below path: String) -> [String] {
        names(in: path).flatMap { name in
            name.hasSuffix(".swift") ? ["\(path)/\(name)"] : swiftFiles(below: "\(path)/\(name)")
        }
    }

    /// Empty for what is no directory.
    private static func names(in path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names
    }

    private static func imports(of path: String) -> Set<String> {
        guard let file = fopen(path, "r") else { return [] }
        defer { fclose(file) }
        var found: Set<String> = []
        var line = [CChar](repeating: 0, count: 4_096)
        while fgets(&line, Int32(line.count), file) != nil {
            let words = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
                .split { $0 == " " || $0 == "\n" }
            let rest = words.drop { $0.hasPrefix("@") || $0 == "public" || $0 == "internal" || $0 == "private" }
            guard rest.first == "import", let module = rest.last else { continue }
            found.insert(String(module.prefix { $0 != "." }))
        }
        return found
    }
}
