import Crypto
import Synchronization

// Sessions without a table: the cookie is a random id and the day of its making, signed; the CSRF token is
// another signature of the id. Each UTC day has a key of its own, made of the secret. Yesterday's holds for a day
// more, and tomorrow's already, for the webheads whose clock is ahead (SPEC Z2).

/// A browser's session: 16 random bytes.
struct Session: Equatable, Sendable {
    static let byteCount = 16
    let id: [UInt8]
}

/// Makes sessions, and tells its own from others.
public final class SessionKeys: Sendable {
    /// Bytes of a secret, at least.
    public static let secretBytes = 32
    private static let dayMilliseconds: UInt64 = 86_400_000
    private static let signatureBytes = 16

    private enum Purpose: UInt8 {
        case cookie = 1
        case token = 2
    }

    private struct DayKeys {
        var day: UInt64
        /// Of today, yesterday and tomorrow; of each secret one.
        var all: [(day: UInt64, keys: [SymmetricKey])]
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
        return Base64URL.encode(session.id + Self.bytes(of: day) + signature(of: session, .cookie, day, now: now))
    }

    /// The session of a cookie; `nil` for one that is not ours, or too old.
    func session(ofCookie value: some StringProtocol, now: UInt64) -> Session? {
        guard value.utf8.count <= 64, let bytes = Base64URL.decode(value.utf8),
            bytes.count == Session.byteCount + 4 + Self.signatureBytes
        else { return nil }
        let session = Session(id: Array(bytes[..<Session.byteCount]))
        let day = bytes[Session.byteCount..<Session.byteCount + 4].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let signature = bytes[(Session.byteCount + 4)...]
        return isSigned(session, .cookie, by: signature, now: now) { $0 == day } ? session : nil
    }

    // MARK: - Tokens

    func token(of session: Session, now: UInt64) -> String {
        Base64URL.encode(signature(of: session, .token, now / Self.dayMilliseconds, now: now))
    }

    func isToken(_ text: some Collection<UInt8>, of session: Session, now: UInt64) -> Bool {
        guard text.count <= 32, let signature = Base64URL.decode(text) else { return false }
        return isSigned(session, .token, by: signature[...], now: now) { _ in true }
    }

    // MARK: - Signatures

    private func signature(of session: Session, _ purpose: Purpose, _ day: UInt64, now: UInt64) -> [UInt8] {
        let keys = dayKeys(now: now).first { $0.day == day }?.keys
        guard let key = keys?.first else { preconditionFailure("no key signs for day \(day)") }
        return Self.sign(session, purpose, day, key)
    }

    private static func sign(_ session: Session, _ purpose: Purpose, _ day: UInt64, _ key: SymmetricKey) -> [UInt8] {
        var code = HMAC<SHA256>(key: key)
        code.update(data: [purpose.rawValue] + bytes(of: day) + session.id)
        return Array(code.finalize().prefix(signatureBytes))
    }

    /// Every key is tried to its end, so that the time says nothing of which one it was, or how much was right.
    private func isSigned(
        _ session: Session, _ purpose: Purpose, by signature: ArraySlice<UInt8>, now: UInt64,
        onDays isWanted: (UInt64) -> Bool
    ) -> Bool {
        guard signature.count == Self.signatureBytes else { return false }
        var isSigned = false
        for (day, keys) in dayKeys(now: now) where isWanted(day) {
            for key in keys {
                let right = Self.sign(session, purpose, day, key)
                let difference = zip(right, signature).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) }
                isSigned = isSigned || difference == 0
            }
        }
        return isSigned
    }

    private func dayKeys(now: UInt64) -> [(day: UInt64, keys: [SymmetricKey])] {
        let today = now / Self.dayMilliseconds
        return cache.withLock { cache in
            if let cache, cache.day == today { return cache.all }
            let all = [today, today &- 1, today + 1].map { day in (day, secrets.map { Self.key(of: day, $0) }) }
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
