import Interactions
import LogEngine
import NIOCore
import SegmentFormat
import StrictJSON

/// Turns the data of a form or of a JSON object into the lines that are stored for it, all or none.
enum ListDecoder {
    /// - Parameter body: is decoded where it stands, and is garbage afterwards.
    static func decode(
        _ body: inout ByteBuffer, _ form: PostForm, resolution: Resolution
    ) async throws(Problem) -> LineBatch {
        let data = try find(&body, form)
        // A lone event has no bracket or comma to pay for its LF.
        let batch = LineBatch(capacity: data.count + 2)
        var list = EventList(resolution: resolution)
        while try decodeStretch(of: body, data, &list, to: batch) { await Task.yield() }
        return batch
    }

    private static func find(_ body: inout ByteBuffer, _ form: PostForm) throws(Problem) -> Range<Int> {
        let found = body.withUnsafeMutableReadableBytes { bytes -> Result<Range<Int>, PostedData.Absence> in
            Result { () throws(PostedData.Absence) in
                try form == .json ? PostedData.ofJSON(bytes) : PostedData.ofForm(bytes)
            }
        }
        do throws(PostedData.Absence) { return try found.get() } catch { throw Problem(error) }
    }

    /// Whether there is more.
    private static func decodeStretch(
        of body: ByteBuffer, _ data: Range<Int>, _ list: inout EventList, to batch: LineBatch
    ) throws(Problem) -> Bool {
        let result = body.withUnsafeReadableBytes { bytes -> Result<Bool, Problem> in
            let text = UnsafeRawBufferPointer(rebasing: bytes[data])
            let stop = list.offset + EventDecoder.stretchBytes
            do throws(EventFault) {
                while list.offset < stop {
                    guard try list.appendNext(of: text, to: batch) else { return .success(false) }
                    if batch.lineCount > Bounds.batchLines { return .failure(.tooManyEvents(batch.lineCount)) }
                }
                return .success(true)
            } catch {
                return .failure(Problem(EventListFault(error, in: text)))
            }
        }
        return try result.get()
    }
}
