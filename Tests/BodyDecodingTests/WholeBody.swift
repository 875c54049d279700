import BodyDecoding

extension BodyDecoder {
    /// Decodes a whole body that comes in pieces of `pieceBytes`, into rooms of `roomBytes`.
    static func decode(
        _ body: [UInt8], _ coding: BodyCoding, limits: DecodingLimits = .ofTest, pieceBytes: Int = 1 << 30,
        roomBytes: Int = 1 << 16
    ) throws(DecodingFault) -> [UInt8] {
        let decoder = BodyDecoder(coding, limits: limits)
        var room = [UInt8](repeating: 0, count: roomBytes)
        var decoded: [UInt8] = []
        let result = body.withUnsafeBytes { body in
            room.withUnsafeMutableBytes { room in
                Result { () throws(DecodingFault) in try decoder.decode(body, pieceBytes, room) { decoded += $0 } }
            }
        }
        try result.get()
        precondition(decoder.coded == body.count && decoder.decoded == decoded.count)
        return decoded
    }

    private func decode(
        _ body: UnsafeRawBufferPointer, _ pieceBytes: Int, _ room: UnsafeMutableRawBufferPointer,
        _ take: (UnsafeRawBufferPointer) -> Void
    ) throws(DecodingFault) {
        var start = 0
        while start < body.count {
            let end = min(start + pieceBytes, body.count)
            var isFull = false
            while start < end || isFull {
                let (read, written) = try decode(UnsafeRawBufferPointer(rebasing: body[start..<end]), into: room)
                precondition(read > 0 || written > 0 || isFull, "it goes on")
                take(UnsafeRawBufferPointer(rebasing: room[..<written]))
                start += read
                isFull = written == room.count
            }
        }
        try finish()
    }
}

extension DecodingLimits {
    static let ofTest = DecodingLimits(bytes: 4 << 20, ratio: 100, floor: 64 << 10)
}
