import LogEngine
import SegmentFormat
import Settings
import WebAPI

extension Configuration.Defaults {
    /// Those of the parts that are configured.
    static var ours: Self {
        let log = LogOptions()
        return Self(
            sealBytes: log.sealBytes, sealMilliseconds: log.sealMilliseconds, reserveBytes: Int(log.reserveBytes),
            limits: .ours)
    }
}

extension Limits {
    fileprivate static var ours: Limits {
        let (connections, requests) = (ConnectionLimits(), RequestLimits())
        return Limits(
            connections: connections.connections, headerBytes: connections.headerBytes,
            headerFields: connections.headerFields, headerDeadline: milliseconds(connections.header),
            bodyDeadline: milliseconds(connections.body), idleTime: milliseconds(connections.idle),
            streamsPerClient: connections.streamsPerClient, streamsPerConnection: connections.streamsPerConnection,
            inFlight: requests.inFlight, bodyBytes: requests.bodyBytes,
            scanDuration: milliseconds(requests.scanDuration))
    }

    private static func milliseconds(_ duration: Duration) -> UInt64 { UInt64(duration / .milliseconds(1)) }
}

extension LogOptions {
    init(_ stream: StreamSettings) {
        self.init()
        resolution = stream.resolution.flatMap { Resolution(milliseconds: $0) }
        sealBytes = stream.sealBytes
        sealMilliseconds = stream.sealMilliseconds
        reserveBytes = UInt64(stream.reserveBytes)
    }
}
