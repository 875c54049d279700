/// Decodes the frames of one coding as their bytes come in.
protocol FrameStream: AnyObject {
    /// Decodes what it can, perhaps not all that is given. Behind the end of a frame the next one may begin.
    func step(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(FrameFault) -> FrameStep
}

struct FrameStep {
    var read: Int
    var written: Int
    /// The frame has come to its end, and all of it was written.
    var isAtEnd: Bool
}

/// A frame is not what it should be.
struct FrameFault: Error {
    let detail: String
}
