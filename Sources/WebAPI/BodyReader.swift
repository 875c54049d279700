import HTTPTypes
import HummingbirdCore
import LogEngine
import NIOCore

/// Takes in a body, all of it or nothing.
struct BodyReader {
    /// How long a body may take. What it has been admitted for is not there for others meanwhile.
    private static let timeLimit = Duration.seconds(120)

    /// The length that the client has announced; `nil` for a chunked body.
    let announced: Int?

    init(_ fields: HTTPFields) throws(Problem) {
        announced = fields[.contentLength].flatMap { Int($0) }
        if let announced, announced > Bounds.batchBytes { throw .bodyTooLarge }
    }

    /// Bytes to ask for before the body is read.
    var admitted: Int { announced ?? Bounds.batchBytes }

    func read(_ body: RequestBody) async throws -> ByteBuffer {
        let deadline = ContinuousClock.now + Self.timeLimit
        var whole = ByteBuffer()
        var parts = 0
        for try await part in body {
            parts += 1
            if parts == 1 {
                whole = part
                continue
            }
            if parts == 2 { makeRoom(&whole) }
            guard whole.readableBytes + part.readableBytes <= Bounds.batchBytes else { throw Problem.bodyTooLarge }
            guard ContinuousClock.now < deadline else { throw Problem.bodyTooSlow }
            whole.writeImmutableBuffer(part)
        }
        // A connection that is closed while the server shuts down ends the body without an error.
        try Task.checkCancellation()
        if let announced, whole.readableBytes != announced { throw Problem.bodyIncomplete }
        return whole
    }

    private func makeRoom(_ whole: inout ByteBuffer) {
        guard let announced else { return }
        var roomy = ByteBufferAllocator().buffer(capacity: announced)
        roomy.writeImmutableBuffer(whole)
        whole = roomy
    }
}
