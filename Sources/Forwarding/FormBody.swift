/// `data=` and a JSON list of the events, as storage servers that are not ours take them.
enum FormBody {
    private static let digits = Array("0123456789ABCDEF".utf8)

    /// - Parameter content: lines, each with its LF.
    static func of(_ content: [UInt8]) -> [UInt8] {
        var body = Array("data=%5B".utf8)
        body.reserveCapacity(content.count * 2)
        for byte in content.dropLast() {
            if byte == UInt8(ascii: "\n") {
                body += "%2C".utf8
            } else if isPlain(byte) {
                body.append(byte)
            } else {
                body += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return body + Array("%5D".utf8)
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2A, 0x2D, 0x2E, 0x5F: true
        default: false
        }
    }
}
