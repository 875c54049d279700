import BodyDecoding
import HTTPTypes
import Interactions
import LogEngine
import StrictJSON

// Every refusal of the HTTP surface, and the one place where a StoreError becomes a status.

extension Problem {
    /// What to answer where `error` was thrown; `nil` where it means that the connection is broken.
    init?(of error: any Error) {
        switch error {
        case let problem as Problem: self = problem
        case let error as StoreError: self.init(error)
        case let fault as DecodingFault: self.init(fault)
        default: return nil
        }
    }

    init(_ error: StoreError) {
        self.init(Self.status(of: error.code), Self.reason(of: error.code), error.message)
        if status == .serviceUnavailable || status == .insufficientStorage {
            fields[.retryAfter] = error.code == .busy ? "1" : "60"
        }
        if let cursor = error.nextCursor { extras = [("cursor", .text(cursor.text))] }
    }

    private static func status(of code: StoreError.Code) -> HTTPResponse.Status {
        switch code {
        case .badArgument, .badCursor: .badRequest
        case .goneCursor: .gone
        case .tooLarge: .contentTooLarge
        case .deliveryConflict: .unprocessableContent
        case .busy, .poisoned, .closed: .serviceUnavailable
        case .noSpace: .insufficientStorage
        case .disk, .locked, .missing, .corrupt, .mismatch, .clock, .cancelled, .interrupted, .revoked:
            .internalServerError
        }
    }

    /// Clients match on it, so it outlives the names in the source.
    static func reason(of code: StoreError.Code) -> String {
        switch code {
        case .noSpace: "no_space"
        case .tooLarge: "too_large"
        case .deliveryConflict: "delivery_conflict"
        case .badCursor: "bad_cursor"
        case .goneCursor: "gone_cursor"
        case .badArgument: "bad_argument"
        case .disk, .poisoned, .locked, .missing, .corrupt, .mismatch, .busy, .closed, .clock, .cancelled, .interrupted,
            .revoked:
            code.rawValue
        }
    }

    static func badEvent(_ fault: LineFault) -> Problem {
        var problem = Problem(
            .badRequest, fault.fault.reason.rawValue,
            "line \(fault.line): \(fault.fault.message); nothing of this body was stored")
        problem.extras = [("line", .number(fault.line)), ("offset", .number(fault.offset))]
        return problem
    }

    init(_ absence: PostedData.Absence) {
        self.init(.badRequest, "no_data", "the body has no data, or more than one")
        text = absence == .malformed ? Self.malformedText : Self.noJSONText
        events = 0
        fields[.daybookReason] = reason
    }

    init(_ fault: EventListFault) {
        self.init(.badRequest, fault.fault.reason.rawValue, fault.fault.message)
        text = fault.kind == .notJSON ? Self.noJSONText : "invalid"
        events = fault.events
        fields[.daybookReason] = "\(reason); offset=\(fault.fault.offset)"
    }

    private static let malformedText = "Malformed POST, unable to parse JSON."
    private static let noJSONText = "JSON syntax error"

    static func badParameter(_ name: String, _ rule: String) -> Problem {
        var problem = Problem(.badRequest, "bad_parameter", "\(name): \(rule)")
        problem.extras = [("parameter", .text(name))]
        return problem
    }

    static let notFound = Problem(.notFound, "not_found", "there is nothing at this path")

    static func notAllowed(_ allowed: String) -> Problem {
        var problem = Problem(.methodNotAllowed, "method_not_allowed", "this path answers \(allowed)")
        problem.fields[.allow] = allowed
        return problem
    }

    static let purged = Problem(.gone, "purged", "events behind this sequence were purged; start again without since")

    static let notAcceptable = Problem(
        .notAcceptable, "not_acceptable",
        "this path answers \(MediaType.json), \(MediaType.ndjson) and \(MediaType.lz4)")

    static let notInTimeOrder = Problem(
        .notAcceptable, "not_acceptable", "\(MediaType.lz4) comes in order=arrival alone")

    static let unsupportedMediaType = Problem(
        .unsupportedMediaType, "unsupported_media_type",
        "events are sent as \(MediaType.ndjson), \(MediaType.json) or \(MediaType.form)"
    ).closingConnection()

    private static let bodyTooLargeReason = "body_too_large"

    static func bodyTooLarge(_ limit: Int) -> Problem {
        Problem(
            .contentTooLarge, bodyTooLargeReason,
            "a body has at most \(limit) bytes; nothing of it was stored: send it in parts"
        ).closingConnection()
    }

    static let tooManyLines = Problem(
        .contentTooLarge, "too_many_lines",
        "a body has at most \(Bounds.batchLines) lines; nothing of it was stored: send it in parts")

    /// In a list, of which so many were read.
    static func tooManyEvents(_ events: Int) -> Problem {
        var problem = tooManyLines
        problem.events = events
        return problem
    }

    static let badFraming = Problem(
        .badRequest, "bad_framing", "Transfer-Encoding: chunked, once and without Content-Length, or none"
    ).closingConnection()

    static let bodyTooSlow = Problem(
        .requestTimeout, "body_too_slow", "the body took too long to arrive; nothing of it was stored"
    ).closingConnection()

    static let bodyIncomplete = Problem(
        .badRequest, "body_incomplete", "the body ended early; nothing of it was stored"
    ).closingConnection()

    /// RFC 9110 §15.5.16 has the server say what it would have taken.
    static let unsupportedCoding: Problem = {
        let names = BodyCoding.allCases.map(\.rawValue).joined(separator: ", ")
        var problem = Problem(
            .unsupportedMediaType, "unsupported_coding", "Content-Encoding: at most one of \(names)")
        problem.fields[.acceptEncoding] = names
        return problem.closingConnection()
    }()

    init(_ fault: DecodingFault) {
        let reason =
            switch fault.kind {
            case .truncated: "coding_truncated"
            case .corrupt: "coding_corrupt"
            case .trailing: "coding_trailing"
            case .ratio: "coding_ratio"
            case .tooLarge: Self.bodyTooLargeReason
            }
        self.init(
            fault.kind == .ratio || fault.kind == .tooLarge ? .contentTooLarge : .badRequest, reason,
            "the coded body, behind byte \(fault.offset): \(fault.detail); nothing of it was stored")
        extras = [("offset", .number(fault.offset))]
        // The rest of the body is not wanted, unless its end is what was missed.
        closesConnection = fault.kind != .truncated
    }
    static let badDelivery = Problem(
        .badRequest, "bad_delivery",
        "Daybook-Delivery: one value, source/epoch/number, and no Idempotency-Key beside it")

    static let tooManyInFlight: Problem = {
        var problem = Problem(
            .tooManyRequests, "too_many_in_flight", "as many requests as may be are being answered; send it again")
        problem.fields[.retryAfter] = "1"
        return problem
    }()

    /// - Parameter wait: nanoseconds.
    static func tooManyRequests(wait: UInt64) -> Problem {
        var problem = Problem(
            .tooManyRequests, "too_many_requests", "this client has sent more requests than it may; send it again later"
        )
        problem.fields[.retryAfter] = String((wait + 999_999_999) / 1_000_000_000)
        return problem
    }

    static let stopping = Problem(
        .serviceUnavailable, "stopping", "the server is about to end; send it again"
    ).retrying(after: "1").closingConnection()

    static let badIdempotencyKey = Problem(
        .badRequest, "bad_idempotency_key", "Idempotency-Key: one value of 1 to 255 printable ASCII characters")

    // MARK: - Limits of connections

    static let headerTooLarge = Problem(
        HTTPResponse.Status(code: 431, reasonPhrase: "Request Header Fields Too Large"), "header_too_large",
        "the header of this request is too long, or has too many fields"
    ).closingConnection()

    static let headerTooSlow = Problem(
        .requestTimeout, "header_too_slow", "the header of the request took too long to arrive"
    ).closingConnection()

    static let tooManyConnections = Problem(
        .serviceUnavailable, "too_many_connections", "as many connections are open as there may be"
    ).retrying(after: "1")

    static let tooManyStreams = Problem(
        .tooManyRequests, "too_many_streams", "this client has as many streams as it may have: let one end first"
    ).retrying(after: "1")

    private func retrying(after seconds: String) -> Problem {
        var problem = self
        problem.fields[.retryAfter] = seconds
        return problem
    }
}
