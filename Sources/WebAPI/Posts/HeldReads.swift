import NIOCore

/// What comes in on a connection.
enum Inbound<Part> {
    case part(Part)
    case event(Any)
    case error(any Error)
}

/// What came in on a connection while a request is being answered, in its order. While there is some, the socket is
/// not read, so it is bounded: what one read brought, and what befell the connection.
struct HeldReads<Part> {
    private var inbounds = CircularBuffer<Inbound<Part>>()
    private var readIsHeld = false

    var isEmpty: Bool { inbounds.isEmpty }

    mutating func hold(_ inbound: Inbound<Part>) { inbounds.append(inbound) }

    /// Ahead of all that is held.
    mutating func putBack(_ part: Part) { inbounds.prepend(.part(part)) }

    /// What is to be taken up next.
    mutating func takeNext() -> Inbound<Part>? { inbounds.popFirst() }

    mutating func dropAll() { inbounds.removeAll() }

    /// Whether the socket may be read now. Where not, the wish is kept for `takeRead`.
    ///
    /// - Parameter isWritable: answers are taken by the client, and so may become more.
    mutating func allowsRead(isWritable: Bool = true) -> Bool {
        let isAllowed = isEmpty && isWritable
        if !isAllowed { readIsHeld = true }
        return isAllowed
    }

    /// Whether the socket is to be read because that was held, and need not be any more. True once for all that were.
    mutating func takeRead(isWritable: Bool = true) -> Bool {
        guard readIsHeld, isEmpty, isWritable else { return false }
        readIsHeld = false
        return true
    }
}
