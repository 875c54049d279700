import Synchronization

/// The tokens that are in force now: those of the configuration, and those of the data directory, which change while
/// the server runs. Shared by its listeners.
public final class TokenBook: Sendable {
    private struct State {
        var list: TokenList
        var hasStored = false
    }

    private let configured: [Token]
    private let state: Mutex<State>
    private let inForce: Atomic<Bool>

    public init(configured: [Token] = []) {
        self.configured = configured
        state = Mutex(State(list: TokenList(configured)))
        inForce = Atomic(!configured.isEmpty)
    }

    /// Takes the tokens of the data directory in place of those it had before; `nil` where it keeps none. Tokens that
    /// were asked for once are asked for until the end, or the last one that is revoked would let everybody in.
    public func replaceStored(_ stored: TokenList?) {
        state.withLock { $0 = State(list: TokenList(configured + (stored?.all ?? [])), hasStored: stored != nil) }
        if stored != nil { inForce.store(true, ordering: .releasing) }
    }

    /// Whether requests need one, if nothing else lets them in.
    public var isInForce: Bool { inForce.load(ordering: .acquiring) }

    public var isEmpty: Bool { state.withLock { $0.list.all.isEmpty } }

    /// Whether the data directory had tokens when they were last taken over.
    var hasStored: Bool { state.withLock { $0.hasStored } }

    func token(of hash: TokenHash) -> Token? { state.withLock { $0.list.token(of: hash) } }
}
