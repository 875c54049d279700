import SegmentFormat
import StrictJSON

// What browsers post becomes what storage servers take (SPEC §23): checked, coarse, without addresses. What is
// not known of a blob stays as it came, byte for byte.

/// What becomes of fields that nobody knows.
public enum UnknownFields: String, CaseIterable, Sendable {
    case pass
    case drop
    /// The blob is refused, and all that came with it.
    case refuse
}

/// What the request says of all its blobs.
public struct BlobContext: Sendable {
    /// Milliseconds since 1970.
    public var now: UInt64
    /// The `User-Agent` field; `nil` where there is none.
    public var userAgent: String?
    /// What `sample_rate` is multiplied with.
    public var sample = SessionSample.all

    public init(now: UInt64, userAgent: String?, sample: SessionSample = .all) {
        self.now = now
        self.userAgent = userAgent
        self.sample = sample
    }
}

/// What of a blob was left out or changed.
public enum BlobChange: String, CaseIterable, Sendable {
    case localTimestamp = "local_timestamp"
    case address
    case unknownField = "unknown_field"
    /// The time of arrival was put in place of none.
    case timestampMissing = "timestamp_missing"
    /// … of one more than a day ahead.
    case timestampAhead = "timestamp_ahead"
    /// … of one before 1973, which a storage server would read as another.
    case timestampTooOld = "timestamp_too_old"
}

/// Makes stored lines of blobs. A value without state.
public struct BlobIntake: Sendable {
    /// A clock may be this far ahead, in milliseconds.
    public static let aheadMilliseconds: UInt64 = 86_400_000

    /// Blobs that may come together: each is more work than its bytes tell.
    public static let mostBlobs = 1_000

    private let resolution: Resolution
    private let unknownFields: UnknownFields

    public init(resolution: Resolution, unknownFields: UnknownFields = .pass) {
        self.resolution = resolution
        self.unknownFields = unknownFields
    }

    /// Appends a line for each blob of `text`: one, a list, or lists in lists; none where it throws is a loss,
    /// for the batch is the caller's to drop.
    ///
    /// - Parameter text: a JSON text that is known to be valid.
    /// - Returns: what was changed, and how often.
    public func append(
        _ text: UnsafeRawBufferPointer, _ context: BlobContext, to batch: LineBatch
    ) throws(BlobFault) -> [BlobChange: Int] {
        let json = ValidJSON(text)
        var changes: [BlobChange: Int] = [:]
        for (blob, start) in BlobStarts(json).enumerated() {
            guard blob < Self.mostBlobs else {
                throw BlobFault(.tooMany, "at most \(Self.mostBlobs) blobs come together")
            }
            do throws(BlobFault) {
                try append(json, start, context, to: batch, &changes)
            } catch {
                var fault = error
                fault.blob = blob
                throw fault
            }
        }
        return changes
    }

    /// How many blobs a text holds, good or bad.
    ///
    /// - Parameter text: as for `append`.
    public static func count(_ text: UnsafeRawBufferPointer) -> Int {
        BlobStarts(ValidJSON(text)).reduce(0) { count, _ in count + 1 }
    }

    private func append(
        _ json: ValidJSON, _ open: Int, _ context: BlobContext, to batch: LineBatch, _ changes: inout [BlobChange: Int]
    ) throws(BlobFault) {
        guard json.bytes[open] == Ascii.openBrace else { throw BlobFault(.notABlob, "it is no JSON object") }
        var edit = BlobEdit(json, resolution: resolution, unknownFields: unknownFields, context)
        try edit.run(open)
        for change in edit.changes { changes[change, default: 0] += 1 }
        let scanner = EventScanner(resolution: resolution)
        let failure = edit.line.withUnsafeBytes { line -> EventFault? in
            do throws(EventFault) {
                try batch.append(maximumBytes: line.count) { (place) throws(EventFault) in
                    let scanned = try scanner.scan(line, into: place)
                    return (scanned.bucket, scanned.byteCount)
                }
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw BlobFault(.badEvent, failure.message) }
    }
}

/// Where the blobs of a text begin: of one, of a list, or of lists in lists.
private struct BlobStarts: Swift.Sequence, IteratorProtocol {
    private let json: ValidJSON
    private var place: Int

    init(_ json: ValidJSON) {
        self.json = json
        place = json.spaceEnd(from: 0)
    }

    mutating func next() -> Int? {
        while place < json.bytes.count {
            let start = place
            switch json.bytes[start] {
            case Ascii.openBracket, Ascii.closeBracket, Ascii.comma: place = json.spaceEnd(from: start + 1)
            default:
                place = json.spaceEnd(from: json.valueEnd(from: start))
                return start
            }
        }
        return nil
    }
}
