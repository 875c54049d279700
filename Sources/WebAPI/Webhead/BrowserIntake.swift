import HTTPTypes
import Interactions
import LogEngine
import NIOCore
import SegmentFormat
import StrictJSON

/// Decides on a browser's post, up to where its events would be stored (SPEC Z3).
struct BrowserIntake: Sendable {
    /// What a post comes to.
    enum Decision {
        /// Nothing is to be stored; the browser need not know why.
        case dropped(reason: String, blobs: Int)
        case store(LineBatch, Admission, [BlobChange: Int])
    }

    let log: EventLog
    let keys: SessionKeys
    var options: WebheadOptions
    let surroundings: WebheadSurroundings
    let blobs: BlobIntake

    func decide(_ fields: BrowserFields, _ body: ByteBuffer) throws(Problem) -> Decision {
        if options.optOut.contains(where: { fields.gives($0) }) { return .dropped(reason: "opt_out", blobs: 0) }
        guard Self.isTaken(fields.contentType) else { throw .unsupportedBrowserType }
        let now = surroundings.now()
        guard let cookie = fields.cookie(SessionCookie.name), let session = keys.session(ofCookie: cookie, now: now)
        else { throw .noCookie }
        let result = body.withUnsafeReadableBytes { bytes in
            Result { () throws(Problem) in try decide(bytes, session, fields.userAgent, now: now) }
        }
        return try result.get()
    }

    private static func isTaken(_ type: String?) -> Bool {
        switch type.map(MediaType.essence) {
        case MediaType.json, "text/plain": true
        default: false
        }
    }

    private func decide(
        _ body: UnsafeRawBufferPointer, _ known: KnownSession, _ agent: String?, now: UInt64
    ) throws(Problem) -> Decision {
        let post: BrowserPost
        do throws(EventFault) { post = try BrowserPost(body) } catch { throw Problem(post: error) }
        guard let token = post.token, keys.isToken(body[token], of: known, now: now) else {
            throw .forgedRequest
        }
        let data = UnsafeRawBufferPointer(rebasing: body[post.data])
        guard !surroundings.isFull() else { throw .spoolFull.refusing(data) }
        guard options.sample.keeps(known.session.id) else {
            return .dropped(reason: "sampled_out", blobs: BlobIntake.count(data))
        }
        guard let admission = log.admitNow(body.count) else { throw Self.refusal(log).refusing(data) }
        let batch = LineBatch(capacity: data.count + 256)
        let context = BlobContext(
            now: now, userAgent: agent, sample: options.sample)
        do throws(BlobFault) {
            let changes = try blobs.append(data, context, to: batch)
            return .store(batch, admission, changes)
        } catch {
            throw Problem(blob: error).refusing(data)
        }
    }

    /// Why nothing is admitted now.
    private static func refusal(_ log: EventLog) -> Problem {
        log.health.failure == nil ? .busyWebhead : .brokenWebhead
    }

    // MARK: - Sessions

    /// The answer to `GET /wsapi/session_context`.
    func context(_ fields: BrowserFields) -> ShortAnswer {
        let now = surroundings.now()
        let known = fields.cookie(SessionCookie.name).flatMap { keys.session(ofCookie: $0, now: now) }
        let session = known?.session ?? newSession()
        let rate =
            options.browserSampleRates.isEmpty
            ? nil
            : fields.userAgent.flatMap {
                options.browserSampleRates[CoarseAgent(userAgent: $0).browser]
            }
        let json =
            #"{"csrf_token":"\#(keys.token(of: session, now: now))","server_time":\#(now),"authenticated":false,"#
            + #""data_sample_rate":\#(rate ?? options.browserSampleRate)}"# + "\n"
        var answer = ShortAnswer(.ok, MediaType.json, ByteBuffer(string: json))
        answer.fields[.setCookie] = SessionCookie.field(
            keys.cookie(of: session, now: now), isSecure: options.isSecure, crossesOrigins: !options.origins.isEmpty)
        return answer
    }

    private func newSession() -> Session {
        let halves = [surroundings.random(), surroundings.random()]
        return Session(
            id: halves.flatMap { half in (0..<8).map { UInt8(truncatingIfNeeded: half >> (8 * UInt64($0))) } })
    }
}

extension Problem {
    /// With the number of blobs that are not taken for it.
    fileprivate func refusing(_ data: UnsafeRawBufferPointer) -> Problem {
        var problem = self
        problem.events = BlobIntake.count(data)
        return problem
    }
}
