// Arbitrary bytes as a coded body: the first one says which coding and in what pieces. Refused or decoded within the
// limits, whatever the pieces.

import BodyDecoding

private let limits = DecodingLimits(bytes: 1 << 20, ratio: 100, floor: 64 << 10)

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzBody(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = UnsafeRawBufferPointer(start: bytes, count: count)
    guard let choice = input.first else { return 0 }
    let coding = BodyCoding.allCases[Int(choice) % BodyCoding.allCases.count]
    let pieces = [1 << 20, 1, 7, 100][Int(choice) / BodyCoding.allCases.count % 4]
    let whole = outcome(UnsafeRawBufferPointer(rebasing: input[1...]), coding, pieceBytes: 1 << 20, roomBytes: 1 << 16)
    let cut = outcome(UnsafeRawBufferPointer(rebasing: input[1...]), coding, pieceBytes: pieces, roomBytes: 1 << 10)
    // The pieces decide when a limit is passed.
    if let whole, let cut { precondition(whole == cut, "what comes out depends on the pieces") }
    return 0
}

/// What came out; `nil` where it was refused.
private func outcome(
    _ body: UnsafeRawBufferPointer, _ coding: BodyCoding, pieceBytes: Int, roomBytes: Int
) -> [UInt8]? {
    let decoder = BodyDecoder(coding, limits: limits)
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: roomBytes, alignment: 1)
    defer { room.deallocate() }
    var decoded: [UInt8] = []
    do throws(DecodingFault) {
        var start = 0
        while start < body.count {
            let end = min(start + pieceBytes, body.count)
            var isFull = false
            while start < end || isFull {
                let (read, written) = try decoder.decode(UnsafeRawBufferPointer(rebasing: body[start..<end]), into: room)
                precondition(read > 0 || written > 0 || isFull, "it goes on")
                decoded += UnsafeRawBufferPointer(rebasing: room[..<written])
                start += read
                isFull = written == roomBytes
            }
        }
        try decoder.finish()
    } catch {
        precondition(error.offset <= body.count, "a fault lies in the body")
        return nil
    }
    precondition(decoded.count == decoder.decoded && decoded.count <= limits.bytes, "it is within the limits")
    return decoded
}
