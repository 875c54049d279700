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
        self.init(problem.status, MediaType.problem, problem.body)
        for field in problem.fields { fields.append(field) }
        if problem.closesConnection { fields[.connection] = "close" }
    }

    static func text(_ line: String) -> ShortAnswer {
        ShortAnswer(.ok, MediaType.text, ByteBuffer(string: line))
    }
}
