import CZlib

/// gzip members (RFC 1952), header and checksum included.
final class GzipStream: FrameStream {
    /// The largest window, and 16 for gzip alone.
    private static let windowBits: Int32 = 15 + 16

    /// zlib keeps its address.
    private let stream: UnsafeMutablePointer<z_stream>

    init() {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let size = Int32(MemoryLayout<z_stream>.size)
        guard inflateInit2_(stream, Self.windowBits, ZLIB_VERSION, size) == Z_OK else {
            preconditionFailure("out of memory")
        }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    func step(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(FrameFault) -> FrameStep {
        // zlib only reads its input; the header has no const.
        stream.pointee.next_in = UnsafeMutableRawPointer(mutating: input.baseAddress)?.assumingMemoryBound(
            to: Bytef.self)
        stream.pointee.avail_in = uInt(clamping: input.count)
        stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: Bytef.self)
        stream.pointee.avail_out = uInt(clamping: output.count)
        let given = (input: stream.pointee.avail_in, output: stream.pointee.avail_out)
        let result = inflate(stream, Z_NO_FLUSH)
        switch result {
        case Z_OK, Z_BUF_ERROR: break
        case Z_STREAM_END: inflateReset(stream)
        case Z_MEM_ERROR: preconditionFailure("out of memory")
        default: throw FrameFault(detail: stream.pointee.msg.map { String(cString: $0) } ?? "bad data")
        }
        return FrameStep(
            read: Int(given.input - stream.pointee.avail_in), written: Int(given.output - stream.pointee.avail_out),
            isAtEnd: result == Z_STREAM_END)
    }
}
