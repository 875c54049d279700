import FoundationEssentials
import NIOCore

// What goes over `control.sock`: JSON, a line each (SPEC J5).

/// What a client asks for.
struct JobRequest: Decodable, Equatable, Sendable {
    static let currentProtocol = 1

    var `protocol` = currentProtocol
    /// The command line behind `daybook`.
    let arguments: [String]
    /// Talk may be redrawn.
    let terminal: Bool

    var line: ByteBuffer {
        ControlLine.encoded([
            ("protocol", .number(self.protocol)), ("arguments", .list(arguments.map { .text($0) })),
            ("terminal", .bool(terminal)),
        ])
    }
}

/// What a server says.
enum JobReply: Equatable, Sendable {
    /// The first line: the server takes a request of this protocol.
    case ready(protocol: Int)
    case output(String)
    case talk(String)
    /// The last line: the exit code.
    case exit(Int32)

    var line: ByteBuffer {
        let (name, value): (Name, JSONValue) =
            switch self {
            case .ready(let number): (.ready, .number(number))
            case .output(let text): (.output, .text(text))
            case .talk(let text): (.talk, .text(text))
            case .exit(let status): (.exit, .number(Int(status)))
            }
        return ControlLine.encoded([(name.rawValue, value)])
    }

    private enum Name: String, CodingKey {
        case ready = "protocol"
        case output = "out"
        case talk
        case exit
    }
}

extension JobReply: Decodable {
    init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: Name.self)
        switch members.allKeys.first {
        case .ready: self = .ready(protocol: try members.decode(Int.self, forKey: .ready))
        case .output: self = .output(try members.decode(String.self, forKey: .output))
        case .talk: self = .talk(try members.decode(String.self, forKey: .talk))
        case .exit: self = .exit(try members.decode(Int32.self, forKey: .exit))
        case nil: throw DecodingError.valueNotFound(Name.self, .init(codingPath: [], debugDescription: "no member"))
        }
    }
}

/// Messages as lines.
enum ControlLine {
    static func encoded(_ members: [(name: String, value: JSONValue)]) -> ByteBuffer {
        ByteBuffer(string: JSONValue.object(members).description + "\n")
    }

    static func decoded<Message: Decodable>(_ type: Message.Type, _ line: ByteBuffer) throws -> Message {
        try JSONDecoder().decode(type, from: Data(line.readableBytesView))
    }

    /// Takes the first line out of `buffer`, without its LF; `nil` where none is whole.
    static func next(of buffer: inout ByteBuffer) -> ByteBuffer? {
        guard let end = buffer.readableBytesView.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        let line = buffer.readSlice(length: end - buffer.readerIndex)
        buffer.moveReaderIndex(forwardBy: 1)
        return line
    }
}
