import HTTPTypes
import NIOCore

/// Short answers as the bytes of HTTP/1.1, the same as the codec writes.
enum AnswerBytes {
    /// Of a POST whose events were stored.
    static func receipt(_ receipt: ByteBuffer, date: String) -> ByteBuffer {
        var bytes = ByteBufferAllocator().buffer(capacity: 128 + receipt.readableBytes)
        bytes.writeStaticString("HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: ")
        bytes.writeString(String(receipt.readableBytes))
        bytes.writeStaticString("\r\nDate: ")
        bytes.writeString(date)
        bytes.writeStaticString("\r\n\r\n")
        bytes.writeImmutableBuffer(receipt)
        return bytes
    }

    /// Of a call of user metadata that was done.
    static func user(_ body: [UInt8], date: String) -> ByteBuffer {
        var bytes = ByteBufferAllocator().buffer(capacity: 192 + body.count)
        bytes.writeStaticString("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ")
        bytes.writeString(String(body.count))
        bytes.writeStaticString("\r\nCache-Control: no-store\r\nDate: ")
        bytes.writeString(date)
        bytes.writeStaticString("\r\n\r\n")
        bytes.writeBytes(body)
        return bytes
    }

    static func answer(_ head: HTTPResponse, _ body: ByteBuffer) -> ByteBuffer {
        var bytes = ByteBufferAllocator().buffer(capacity: 256 + body.readableBytes)
        bytes.writeString("HTTP/1.1 \(head.status.code) \(head.status.reasonPhrase)\r\n")
        for field in head.headerFields { bytes.writeString("\(field.name.rawName): \(field.value)\r\n") }
        bytes.writeStaticString("\r\n")
        bytes.writeImmutableBuffer(body)
        return bytes
    }
}
