import HTTPTypes
import NIOCore

/// What a request is answered with.
enum Answer {
    /// Sent at once.
    case short(ShortAnswer)
    /// Sent as it is read.
    case events(EventAnswer)
    /// The fields that the events would have had, for a HEAD.
    case fields(HTTPFields)
}

struct ShortAnswer {
    var status: HTTPResponse.Status
    var fields: HTTPFields
    var body: ByteBuffer

    init(_ status: HTTPResponse.Status, _ mediaType: String, _ body: ByteBuffer) {
        self.status = status
        fields = [.contentType: mediaType, .contentLength: String(body.readableBytes)]
        self.body = body
    }

    init(receipt: ByteBuffer) {
        self.init(.created, MediaType.json, receipt)
    }

    init(_ problem: Problem) {
        if let text = problem.text {
            self.init(problem.status, MediaType.text, ByteBuffer(string: text))
        } else {
            self.init(problem.status, MediaType.problem, problem.body)
        }
        for field in problem.fields { fields.append(field) }
        if problem.closesConnection { fields[.connection] = "close" }
    }

    /// The client has it already.
    static func notModified(_ tag: EntityTag, _ form: EventForm) -> ShortAnswer {
        var answer = ShortAnswer(.notModified, MediaType.text, ByteBuffer())
        answer.fields = [.eTag: tag.text, .vary: form.vary]
        return answer
    }

    /// What the OPTIONS of a path are.
    static func options(_ methods: String) -> ShortAnswer {
        var answer = ShortAnswer(.noContent, MediaType.text, ByteBuffer())
        answer.fields = [.allow: methods]
        return answer
    }

    /// The description of the endpoints of a listener, made once.
    static func description(of role: Role) -> ShortAnswer { role == .userMetadata ? users : events }

    private static let events = ShortAnswer(.ok, MediaType.json, ByteBuffer(bytes: PackageResources.openapi_json))
    private static let users = ShortAnswer(
        .ok, MediaType.json, ByteBuffer(bytes: PackageResources.openapi_users_json))

    static let version = ShortAnswer(.ok, MediaType.json, ByteBuffer(string: Build.json))

    static func text(_ line: String, _ status: HTTPResponse.Status = .ok) -> ShortAnswer {
        ShortAnswer(status, MediaType.text, ByteBuffer(string: line))
    }
}
