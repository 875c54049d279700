import NIOCore

/// Buffers that are used again once the connection has let go of them: one that is being made, those that are
/// ready, one that is being written, and one that waits for the socket.
struct BufferRing {
    private static let size = EventPieces.ahead + 3
    private var buffers: [ByteBuffer] = []
    private var next = 0

    /// An empty buffer. Clearing one that is still held elsewhere leaves that one alone.
    mutating func take() -> ByteBuffer {
        guard buffers.count == Self.size else { return ByteBufferAllocator().buffer(capacity: EventPieces.pieceBytes) }
        var buffer = buffers[next]
        buffers[next] = ByteBuffer()
        buffer.clear()
        return buffer
    }

    mutating func keep(_ buffer: ByteBuffer) {
        guard buffer.readableBytes > EventPieces.pieceBytes / 2, buffer.capacity <= 2 * EventPieces.pieceBytes else {
            return
        }
        if buffers.count < Self.size {
            buffers.append(buffer)
        } else {
            buffers[next] = buffer
            next = (next + 1) % Self.size
        }
    }
}
