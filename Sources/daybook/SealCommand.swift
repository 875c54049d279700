import ArgumentParser
import LogEngine

struct SealCommand: StreamJob {
    static let job = JobKind.seal

    static let configuration = CommandConfiguration(
        commandName: "seal", abstract: "Seals the segment that is being written.",
        discussion: """
            Its file never changes afterwards: copy it, or have it compacted. Events go to a new one. Does nothing where \
            the segment is empty. A segment is sealed by itself, too, when it is large or old.

            \(Self.beside)
            """)

    @OptionGroup var store: StreamOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run(on log: EventLog, _ console: Console) async throws {
        let sealed = try await log.seal()
        try console.write(json ? Self.json(sealed).line(of: log) : Self.text(sealed))
    }

    private static func text(_ segment: SegmentSummary?) -> String {
        guard let segment else { return "nothing to seal\n" }
        return "segment \(segment.number.value) is sealed: \(segment.lines.grouped) events, "
            + "\(segment.rawBytes.grouped) bytes raw, \(segment.storedBytes.grouped) stored\n"
    }

    private static func json(_ segment: SegmentSummary?) -> JSONValue {
        guard let segment else { return .object([("sealed", .null)]) }
        let sealed: [(name: String, value: JSONValue)] = [
            ("segment", .number(segment.number.value)), ("events", .number(segment.lines)),
            ("raw_bytes", .number(segment.rawBytes)), ("stored_bytes", .number(segment.storedBytes)),
        ]
        return .object([("sealed", .object(sealed))])
    }
}
