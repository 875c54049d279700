import Glibc
import LogEngine
import NIOCore
import NIOPosix

/// Hands a job to the process that has the store open.
struct ControlClient {
    enum Outcome: Equatable {
        case ended(ExitStatus)
        /// Nobody took the job.
        case nobody
    }

    private typealias Connection = NIOAsyncChannel<JobReply, ByteBuffer>

    private static let unknownOutcome = CommandFailure(
        .unavailable, "the server ended the connection; whether the job was done is not known")

    let layout: Layout
    /// The command line behind `daybook`.
    let arguments: [String]

    /// Shows on `console` what the job prints.
    func handOver(_ console: Console) async throws -> Outcome {
        guard let connection = try await connect() else { return .nobody }
        let request = JobRequest(arguments: arguments, terminal: console.isTerminal)
        return try await connection.executeThenClose { inbound, outbound in
            var replies = inbound.makeAsyncIterator()
            var isTaken = false
            while let reply = await Self.next(&replies) {
                switch reply {
                case .ready(let number):
                    guard number == JobRequest.currentProtocol else { throw CommandFailure(.otherProtocol) }
                    // Of a request that did not leave whole nothing is done.
                    do { try await outbound.write(request.line) } catch { return .nobody }
                    isTaken = true
                case .output(let text):
                    try console.write(text)
                    try console.flush()
                case .talk(let text): console.show(text)
                case .exit(let code):
                    guard let status = ExitStatus(rawValue: code) else { throw Self.unknownOutcome }
                    return .ended(status)
                }
            }
            guard isTaken else { return .nobody }
            throw Self.unknownOutcome
        }
    }

    /// `nil` at the end of the answer; where it breaks off or makes no sense, that is its end.
    private static func next(
        _ replies: inout NIOAsyncChannelInboundStream<JobReply>.AsyncIterator
    ) async -> JobReply? {
        do { return try await replies.next() } catch { return nil }
    }

    /// `nil` where nobody listens.
    private func connect() async throws -> Connection? {
        do {
            let socket = try ControlSocket(of: layout)
            let connection = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connect(unixDomainSocketPath: socket.path) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(ByteToMessageHandler(ReplyDecoder()))
                        return try Connection(wrappingChannelSynchronously: channel)
                    }
                }
            extendLifetime(socket)
            return connection
        } catch let error as IOError {
            return try refused(error.errnoCode)
        } catch let error as SystemFault {
            return try refused(error.code)
        }
    }

    private func refused(_ code: Int32) throws -> Connection? {
        if [ENOENT, ECONNREFUSED, EAGAIN].contains(code) { return nil }
        let reason = String(cString: strerror(code))
        throw CommandFailure(.unavailable, "\(layout.controlSocket): cannot connect: \(reason)")
    }
}

private struct ReplyDecoder: ByteToMessageDecoder {
    typealias InboundOut = JobReply

    func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) throws -> DecodingState {
        guard let line = ControlLine.next(of: &buffer) else { return .needMoreData }
        context.fireChannelRead(Self.wrapInboundOut(try ControlLine.decoded(JobReply.self, line)))
        return .continue
    }
}
