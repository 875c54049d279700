import Crypto
import Synchronization

// Sessions without a table: of the HMAC of a random id and the day, one half signs the cookie and the other half is
// the CSRF token. Each UTC day has a key of its own, made of the secret. Yesterday's holds for a day more, and
// tomorrow's already, for the webheads whose clock is ahead (SPEC Z2).

/// A browser's session: 16 random bytes.
struct Session: Equatable, Sendable {
    static let byteCount = 16
    let id: [UInt8]
}

/// A session whose cookie is ours, and what signs it on the cookie's day: nearly always the token that comes with it.
struct KnownSession: Sendable {
    let session: Session
    fileprivate let signatures: [Signature]
}

/// Half of it is for the cookie, half is the token.
private struct Signature: Sendable {
    static let halfBytes = 16
    let cookie: ArraySlice<UInt8>
    let token: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { (cookie, token) = (bytes[..<Self.halfBytes], bytes[Self.halfBytes...]) }
}

/// Makes sessions, and tells its own from others.
public final class SessionKeys: Sendable {
    /// Bytes of a secret, at least.
    public static let secretBytes = 32
    private static let dayMilliseconds: UInt64 = 86_400_000

    private struct DayKeys {
        var day: UInt64
        /// Of today, yesterday and tomorrow; of each secret one, with its key worked in.
        var all: [(day: UInt64, codes: [HMAC<SHA256>])]
    }

    private let secrets: [SymmetricKey]
    private let cache = Mutex<DayKeys?>(nil)

    /// - Parameter secrets: the first signs; the others are known still, so that one can be replaced.
    public init?(secrets: [[UInt8]]) {
        guard !secrets.isEmpty, secrets.allSatisfy({ $0.count >= Self.secretBytes }) else { return nil }
        self.secrets = secrets.map { SymmetricKey(data: $0) }
    }

    // MARK: - Cookies

    /// The value of a cookie for a session, good for the rest of the day and the next one.
    func cookie(of session: Session, now: UInt64) -> String {
        let day = now / Self.dayMilliseconds
        return Base64URL.encode(session.id + Self.bytes(of: day) + signature(of: session, day, now: now).cookie)
    }

    /// The session of a cookie; `nil` for one that is not ours, or too old.
    func session(ofCookie value: some StringProtocol, now: UInt64) -> KnownSession? {
        guard value.utf8.count <= 64, let bytes = Base64URL.decode(value.utf8),
            bytes.count == Session.byteCount + 4 + Signature.halfBytes
        else { return nil }
        let session = Session(id: Array(bytes[..<Session.byteCount]))
        let day = bytes[Session.byteCount..<Session.byteCount + 4].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let signatures = signatures(of: session, on: day, now: now)
        let isOurs = Self.isAny(of: signatures.map(\.cookie), bytes[(Session.byteCount + 4)...])
        return isOurs ? KnownSession(session: session, signatures: signatures) : nil
    }

    // MARK: - Tokens

    func token(of session: Session, now: UInt64) -> String {
        Base64URL.encode(Array(signature(of: session, now / Self.dayMilliseconds, now: now).token))
    }

    func isToken(_ text: some Collection<UInt8>, of known: KnownSession, now: UInt64) -> Bool {
        guard text.count <= 32, let token = Base64URL.decode(text), token.count == Signature.halfBytes else {
            return false
        }
        if Self.isAny(of: known.signatures.map(\.token), token[...]) { return true }
        // A page that is open since yesterday, beside one that has got a new cookie.
        let others = dayKeys(now: now).flatMap { day, _ in signatures(of: known.session, on: day, now: now) }
        return Self.isAny(of: others.map(\.token), token[...])
    }

    // MARK: - Signatures

    private func signature(of session: Session, _ day: UInt64, now: UInt64) -> Signature {
        guard let signature = signatures(of: session, on: day, now: now).first else {
            preconditionFailure("no key signs for day \(day)")
        }
        return signature
    }

    /// Of each secret one; none for a day that is not yesterday, today or tomorrow.
    private func signatures(of session: Session, on day: UInt64, now: UInt64) -> [Signature] {
        let codes = dayKeys(now: now).first { $0.day == day }?.codes ?? []
        return codes.map { code in
            var code = code
            code.update(data: session.id)
            return Signature(Array(code.finalize()))
        }
    }

    /// Every one is tried to its end, so that the time says nothing of which one it was, or how much was right.
    private static func isAny(of signatures: [ArraySlice<UInt8>], _ bytes: ArraySlice<UInt8>) -> Bool {
        var isAny = false
        for right in signatures {
            let difference = zip(right, bytes).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) }
            isAny = isAny || difference == 0
        }
        return isAny
    }

    private func dayKeys(now: UInt64) -> [(day: UInt64, codes: [HMAC<SHA256>])] {
        let today = now / Self.dayMilliseconds
        return cache.withLock { cache in
            if let cache, cache.day == today { return cache.all }
            let all = [today, today &- 1, today + 1].map { day in
                (day, secrets.map { HMAC<SHA256>(key: Self.key(of: day, $0)) })
            }
            cache = DayKeys(day: today, all: all)
            return all
        }
    }

    private static func key(of day: UInt64, _ secret: SymmetricKey) -> SymmetricKey {
        var code = HMAC<SHA256>(key: secret)
        code.update(data: Array("daybook session".utf8) + bytes(of: day))
        return SymmetricKey(data: Array(code.finalize()))
    }

    private static func bytes(of day: UInt64) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: day >> (8 * UInt64($0))) }
    }
}
