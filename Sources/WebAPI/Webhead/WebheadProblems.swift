import HTTPTypes
import Interactions
import StrictJSON

// The refusals of the webhead. Those that older browser code knows are texts (SPEC Z3).

extension Problem {
    static let noCookie = browserText(.forbidden, "no_cookie", "Forbidden: no cookie")
    static let forgedRequest = browserText(.badRequest, "csrf_violation", "Bad Request: CSRF violation")

    private static func browserText(_ status: HTTPResponse.Status, _ reason: String, _ text: String) -> Problem {
        var problem = Problem(status, reason, text)
        problem.text = text
        problem.fields[.daybookReason] = reason
        return problem
    }

    static let unsupportedBrowserType = Problem(
        .unsupportedMediaType, "unsupported_media_type", "blobs are sent as application/json or text/plain")

    static func browserBodyTooLarge(_ bytes: Int) -> Problem {
        Problem(.contentTooLarge, "body_too_large", "a body has at most \(bytes) bytes; nothing of it was stored")
            .closingConnection()
    }

    init(post fault: EventFault) {
        self.init(.badRequest, fault.reason == .noEvents ? "no_data" : fault.reason.rawValue, Self.words(of: fault))
        extras = [("offset", .number(fault.offset))]
    }

    private static func words(of fault: EventFault) -> String {
        switch fault.reason {
        case .noEvents: "the body has no data"
        case .notAnObject: "the body is no JSON object"
        default: fault.message
        }
    }

    init(blob fault: BlobFault) {
        self.init(fault.reason == .tooMany ? .contentTooLarge : .badRequest, fault.reason.rawValue, fault.message)
        extras = [("blob", .number(fault.blob))]
        if let field = fault.field { extras.append(("field", .text(field))) }
    }

    static let spoolFull = later(
        .insufficientStorage, "spool_full", "the spool is full until a storage server takes events", seconds: 60)
    static let busyWebhead = later(
        .serviceUnavailable, "busy", "too much is in flight; try again in a second", seconds: 1)
    static let brokenWebhead = later(
        .serviceUnavailable, "poisoned", "writing stopped after an error", seconds: 60)

    private static func later(
        _ status: HTTPResponse.Status, _ reason: String, _ detail: String, seconds: Int
    ) -> Problem {
        var problem = Problem(status, reason, detail)
        problem.fields[.retryAfter] = String(seconds)
        return problem
    }
}
