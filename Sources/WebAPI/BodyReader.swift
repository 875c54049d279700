import BodyDecoding
import HTTPTypes
import HummingbirdCore
import LogEngine
import NIOCore

/// Takes in a body, all of it or nothing, decoded where it is coded.
struct BodyReader {
    /// How long a body may take. What it has been admitted for is not there for others meanwhile.
    private let limit: Duration
    /// What every body is admitted for, unless it is shorter. It is little, so that many may be slow.
    private static let firstBytes = 1 << 10
    /// What is reserved of an announced length: enough for most, so that these are not copied as they grow.
    private static let reservedBytes = 1 << 20
    /// How much most coded bodies grow, at most; the room is no memory until it is used.
    private static let growth = 8
    /// Decoded at a time.
    private static let pieceBytes = 64 << 10

    /// The length that the client has announced; `nil` for a chunked body.
    let announced: Int?
    let coding: BodyCoding?

    private var whole = ByteBuffer()
    /// Bytes that came, coded or not.
    private(set) var received = 0
    private var deadline = ContinuousClock.now

    /// Of the body, coded and decoded.
    private let byteLimit: Int

    init(_ fields: HTTPFields, limit: Duration, bytes byteLimit: Int) throws(Problem) {
        self.limit = limit
        self.byteLimit = byteLimit
        announced = fields[.contentLength].flatMap { Int($0) }
        coding = try BodyCoding(of: fields)
        if let announced, announced > byteLimit { throw .bodyTooLarge(byteLimit) }
    }

    /// Bytes to ask for before the body is read.
    var admitted: Int { min(announced ?? .max, Self.firstBytes) }

    /// - Parameter admission: grows to what is held of the body: that which came, and that which it gave.
    mutating func read(_ body: RequestBody, _ admission: Admission) async throws -> ByteBuffer {
        deadline = ContinuousClock.now + limit
        let decoder = coding.map { BodyDecoder($0, limits: .ofBodies(byteLimit)) }
        if coding != nil, let announced { whole.reserveCapacity(min(Self.growth * announced, Self.reservedBytes)) }
        for try await part in body {
            received += part.readableBytes
            guard received <= byteLimit else { throw Problem.bodyTooLarge(byteLimit) }
            guard ContinuousClock.now < deadline else { throw Problem.bodyTooSlow }
            if let decoder {
                try await decode(part, decoder, admission)
            } else {
                try await makeRoom(received, atMost: announced ?? byteLimit, admission)
                append(part)
            }
        }
        // A connection that is closed while the server shuts down ends the body without an error.
        try Task.checkCancellation()
        if let announced, received != announced { throw Problem.bodyIncomplete }
        try decoder?.finish()
        return whole
    }

    private mutating func append(_ part: ByteBuffer) {
        guard whole.capacity > 0 else {
            whole = part
            return
        }
        whole.reserveCapacity(min(announced ?? 0, Self.reservedBytes))
        whole.writeImmutableBuffer(part)
    }

    private mutating func decode(_ part: ByteBuffer, _ decoder: BodyDecoder, _ admission: Admission) async throws {
        var part = part
        var isFull = false
        var stretch = 0
        while part.readableBytes > 0 || isFull {
            let needed = received + decoder.decoded + Self.pieceBytes
            try await makeRoom(needed, atMost: 2 * byteLimit + Self.pieceBytes, admission)
            let written = try whole.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.pieceBytes) { place in
                let room = UnsafeMutableRawBufferPointer(rebasing: place[..<Self.pieceBytes])
                return try part.readWithUnsafeReadableBytes { try decoder.decode($0, into: room) }
            }
            isFull = written == Self.pieceBytes
            stretch += written
            if stretch >= EventDecoder.stretchBytes {
                stretch = 0
                await Task.yield()
            }
        }
    }

    /// Waiting for room is not the client's time.
    private mutating func makeRoom(_ bytes: Int, atMost bound: Int, _ admission: Admission) async throws {
        let held = admission.bytes
        guard bytes > held else { return }
        let start = ContinuousClock.now
        // Twice as much each time, so that few have to wait in the middle.
        try await admission.grow(by: min(max(bytes, 2 * held), bound) - held)
        deadline += ContinuousClock.now - start
    }
}

extension BodyCoding {
    /// The coding of a body; `nil` where it has none.
    init?(of fields: HTTPFields) throws(Problem) {
        guard fields.contains(.contentEncoding) else { return nil }
        let tokens = fields[values: .contentEncoding].flatMap { $0.split(separator: ",") }
            .map { $0.filter { $0 != " " && $0 != "\t" } }.filter { !$0.isEmpty && $0.lowercased() != "identity" }
        guard let token = tokens.first else { return nil }
        guard tokens.count == 1, let coding = BodyCoding(token: token) else { throw .unsupportedCoding }
        self = coding
    }
}

extension DecodingLimits {
    static func ofBodies(_ bytes: Int) -> DecodingLimits {
        DecodingLimits(bytes: bytes, ratio: Bounds.decodingRatio, floor: Bounds.decodingFloor)
    }
}
