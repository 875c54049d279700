import HTTPTypes
import NIOCore
import SegmentFormat

/// A POST of a few events as it comes in: one that wants no more than to be stored and answered.
struct SmallPost {
    let head: HTTPRequest
    let key: DeliveryKey?
    private(set) var body = ByteBuffer()

    /// `nil` for every other request, and for one that will be refused for its head.
    /// - Parameter byteLimit: of a body.
    init?(_ head: HTTPRequest, byteLimit: Int) {
        guard head.method == .post, head.path == Route.eventsPath else { return nil }
        let fields = head.headerFields
        guard fields.only(.contentType).map(MediaType.essence) == MediaType.ndjson,
            let length = fields.only(.contentLength).flatMap({ Int($0) }),
            length <= min(EventIntake.loopBytes, byteLimit),
            !fields.contains(.expect), !fields.contains(.contentEncoding), !fields.contains(.transferEncoding),
            !fields.contains(.connection) || fields.only(.connection)?.lowercased() == "keep-alive"
        else { return nil }
        do throws(Problem) {
            key = try DeliveryKey(fields)
        } catch {
            return nil
        }
        self.head = head
    }

    /// Of the body, and so, nearly, its events.
    var lines: Int { body.withUnsafeReadableBytes { $0.lineCount } }

    mutating func append(_ part: ByteBuffer) {
        if body.readableBytes == 0 { body = part } else { body.writeImmutableBuffer(part) }
    }
}
