// A body may come in pieces that end anywhere and may grow a thousandfold, so it is decoded piece by piece
// into as much room as its taker has, and is refused at the first byte that is too much. What begins a
// frame is looked at here: so what lies behind the last one is told from a bad frame, and the libraries
// never see formats that nobody asked for.

/// Decodes one body in bounded memory.
public final class BodyDecoder {
    /// Bytes of the coded body that were read, without those of a frame that is just beginning; and what they gave.
    public private(set) var coded = 0
    public private(set) var decoded = 0

    private let coding: BodyCoding
    private let limits: DecodingLimits
    private let stream: any FrameStream
    /// Where a frame is beginning; `nil` within one.
    private var start: FrameStart? = FrameStart()
    private var frames = 0
    /// The last step filled its room, so there may be more without further input.
    private var mayHoldOutput = false

    public init(_ coding: BodyCoding, limits: DecodingLimits) {
        self.coding = coding
        self.limits = limits
        stream = coding.makeStream()
    }

    /// Decodes from the front of `input` until it is used up or `output`, which has room, is full.
    ///
    /// - Returns: bytes of `input` that were used, and bytes of `output` that were written. When `output` is
    ///   full there may be more to come, even if all of `input` was used.
    public func decode(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(DecodingFault) -> (read: Int, written: Int) {
        precondition(!output.isEmpty)
        var (read, written) = (0, 0)
        while written < output.count {
            let room = UnsafeMutableRawBufferPointer(rebasing: output[written...])
            if let begun = start {
                guard read < input.count else { break }
                try begin(begun, input[read], room)
                read += 1
            } else {
                guard read < input.count || mayHoldOutput else { break }
                let step = try step(UnsafeRawBufferPointer(rebasing: input[read...]), room)
                read += step.read
                written += step.written
            }
        }
        return (read, written)
    }

    /// Takes a byte of what should begin a frame. No frame gives anything for so few.
    private func begin(
        _ begun: FrameStart, _ byte: UInt8, _ room: UnsafeMutableRawBufferPointer
    ) throws(DecodingFault) {
        var begun = begun
        begun.append(byte)
        guard coding.beginsFrame(begun) else {
            throw frames == 0
                ? DecodingFault(kind: .corrupt, offset: 0, detail: "it does not begin as \(coding.rawValue) does")
                : DecodingFault(
                    kind: .trailing, offset: coded, detail: "something that is not \(coding.rawValue) follows")
        }
        start = begun
        guard begun.count == coding.magicBytes else { return }
        start = nil
        _ = try withUnsafeBytes(of: begun.word.littleEndian) { (magic) throws(DecodingFault) in
            try step(UnsafeRawBufferPointer(rebasing: magic[..<begun.count]), room)
        }
    }

    private func step(
        _ input: UnsafeRawBufferPointer, _ room: UnsafeMutableRawBufferPointer
    ) throws(DecodingFault) -> FrameStep {
        let step = try taken(input, room)
        coded += step.read
        decoded += step.written
        mayHoldOutput = step.written == room.count && !step.isAtEnd
        if step.isAtEnd {
            frames += 1
            start = FrameStart()
        }
        guard decoded <= limits.bytes else { throw fault(.tooLarge, "it has more than \(limits.bytes) bytes decoded") }
        guard decoded <= limits.floor || decoded / limits.ratio <= coded else {
            throw fault(.ratio, "it grows more than \(limits.ratio) times")
        }
        return step
    }

    private func taken(
        _ input: UnsafeRawBufferPointer, _ room: UnsafeMutableRawBufferPointer
    ) throws(DecodingFault) -> FrameStep {
        do throws(FrameFault) {
            let step = try stream.step(input, into: room)
            guard step.read > 0 || step.written > 0 || step.isAtEnd || input.isEmpty else {
                throw FrameFault(detail: "it does not go on")
            }
            return step
        } catch {
            throw fault(.corrupt, error.detail)
        }
    }

    /// To be called behind the last byte of the body, once nothing more comes out.
    public func finish() throws(DecodingFault) {
        guard frames > 0, start?.count == 0 else { throw fault(.truncated, "it ends too soon") }
    }

    private func fault(_ kind: DecodingFault.Kind, _ detail: String) -> DecodingFault {
        DecodingFault(kind: kind, offset: coded, detail: detail)
    }
}
