import LogEngine
import SegmentFormat
import TestSupport
import Testing

@testable import Forwarding

@Suite("Forwarding to real servers")
struct ForwardingServiceTests {
    @Test("what is in the spool comes to the first server once, in order, and leaves the spool")
    func forwards() async throws {
        let directory = try TemporaryDirectory()
        let storage = [TestStorage("\(directory.path)/a"), TestStorage("\(directory.path)/b")]
        for server in storage { try await server.start() }
        let spool = try TestSpool("\(directory.path)/spool", to: storage.map(\.url))
        let lines = try await spool.append(95)
        #expect(await spool.service.drain())
        #expect(try storage[0].lines() == lines)
        #expect(try storage[1].lines().isEmpty)
        let status = spool.service.status
        #expect(status.waitingEvents == 0 && status.record.tally.delivered == 95 && !status.isDegraded)
        try await spool.close()
        // Nothing is sent again by the next one.
        let again = try TestSpool("\(directory.path)/spool", to: storage.map(\.url))
        let more = try await again.append(5, from: 95)
        #expect(await again.service.drain())
        #expect(try storage[0].lines() == lines + more)
        try await again.close()
        for server in storage { try await server.stop() }
    }

    @Test("while a server is down its events go to the next, and none is twice")
    func failover() async throws {
        let directory = try TemporaryDirectory()
        let storage = [TestStorage("\(directory.path)/a"), TestStorage("\(directory.path)/b")]
        for server in storage { try await server.start() }
        // Before it was ever spoken to: so it is certain that it has nothing.
        try await storage[0].stop()
        let spool = try TestSpool("\(directory.path)/spool", to: storage.map(\.url))
        var lines = try await spool.append(30)
        #expect(await spool.service.drain())
        #expect(spool.service.status.servers.map { $0.failures > 0 } == [true, false])
        try await storage[0].start()
        spool.service.retry()
        while spool.service.status.servers.contains(where: { $0.failures > 0 }) {
            lines += try await spool.append(1)
            #expect(await spool.service.drain())
        }
        lines += try await spool.append(30)
        #expect(await spool.service.drain())
        let stored = try storage.flatMap { try $0.lines() }
        #expect(stored.sorted() == lines.sorted())
        #expect(try storage[1].lines().count >= 30)
        try await spool.close()
        for server in storage { try await server.stop() }
    }

    @Test("forms go to servers that are not ours, and 201 is success")
    func forms() async throws {
        let directory = try TemporaryDirectory()
        let storage = TestStorage("\(directory.path)/a")
        try await storage.start()
        let spool = try TestSpool("\(directory.path)/spool", to: [storage.url]) { $0.storage.dialect = .form }
        let lines = try await spool.append(25)
        #expect(await spool.service.drain())
        #expect(try storage.lines() == lines)
        try await spool.close()
        try await storage.stop()
    }

    @Test("a body of the form is what older forwarders send")
    func formBody() {
        let body = FormBody.of(Array("{\"timestamp\":1361407200000,\"lang\":\"en\"}\n".utf8))
        #expect(
            String(decoding: body, as: UTF8.self)
                == "data=%5B%7B%22timestamp%22%3A1361407200000%2C%22lang%22%3A%22en%22%7D%5D")
        #expect(String(decoding: FormBody.of(Array("{}\n{}\n".utf8)), as: UTF8.self) == "data=%5B%7B%7D%2C%7B%7D%5D")
    }

    @Test("segments of which all is sent are released")
    func release() async throws {
        let directory = try TemporaryDirectory()
        let storage = TestStorage("\(directory.path)/a")
        try await storage.start()
        let spool = try TestSpool("\(directory.path)/spool", to: [storage.url])
        for _ in 0..<3 {
            try await spool.append(20)
            _ = try await spool.spool.log.seal()
        }
        #expect(await spool.service.drain())
        while spool.spool.log.snapshot().firstSequence < Sequence(41) {
            try await spool.append(1)
            #expect(await spool.service.drain())
        }
        try await spool.close()
        try await storage.stop()
    }

    @Test("with no server everything waits, and the spool is full at its bounds")
    func full() async throws {
        let directory = try TemporaryDirectory()
        let spool = try TestSpool("\(directory.path)/spool", to: ["http://127.0.0.1:1"]) { $0.bounds.bytes = 20_000 }
        #expect(!spool.service.isFull)
        while !spool.service.isFull { try await spool.append(50) }
        let status = spool.service.status
        #expect(status.waitingEvents > 0 && status.waitingBytes > 0 && status.storedBytes >= 20_000)
        await #expect(throws: Forwarder.ReassignmentFault.noOtherServer) {
            try await spool.service.reassign(ServerName("http://127.0.0.1:1"))
        }
        try await spool.close()
    }

    @Test("the spool is full while its oldest event has waited too long, and takes events again once that is sent")
    func old() async throws {
        let directory = try TemporaryDirectory()
        let storage = TestStorage("\(directory.path)/a")
        try await storage.start()
        try await storage.stop()
        let spool = try TestSpool("\(directory.path)/spool", to: [storage.url]) { $0.bounds.ageMilliseconds = 1 }
        while !spool.service.isFull { try await spool.append(1) }
        try await storage.start()
        #expect(await spool.service.drain())
        #expect(!spool.service.isFull)
        try await spool.close()
        try await storage.stop()
    }

    @Test("a drain ends where nothing can be sent any more")
    func failure() async throws {
        let disk = VirtualDisk()
        let environment = TestEnvironment().on(disk)
        let log = try EventLog.open(
            "/spool", options: Spool.options(SpoolBounds(), resolution: nil), environment: environment)
        let spool = try Spool(log, in: "/spool", environment)
        let batch = LineBatch()
        Array(TestSpool.line(1).utf8).withUnsafeBytes { batch.append($0, bucket: Bucket(milliseconds: 0)) }
        _ = try await log.append(batch, delivery: nil)
        // The record is what is written next.
        disk.stop(at: disk.operations + 1)
        let options = ForwardingService.Options(servers: [ServerName("http://127.0.0.1:1")])
        let service = ForwardingService(spool, options, environment) { _ in }
        let running = Task { try await service.run() }
        for _ in 0..<2 { #expect(await !service.drain()) }
        #expect(service.status.failure?.hasPrefix("cannot write the record of what was sent") == true)
        service.end()
        try await running.value
        disk.clearFaults()
        try await log.close()
    }

    @Test("a record comes back from its note, and one that is lost or too new is an error")
    func records() async throws {
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/spool"
        var record = ForwardingRecord(spool: StoreID(.max), epoch: 0xA1)
        record.nextNumber = 9
        record.cut = Sequence(30)
        record.waitingSince = 600_000
        record.tally.reassigned = 3
        let stretch = Stretch(
            first: Sequence(11), last: Sequence(20), events: 7, bytes: 99, digest: Hash128(low: 1, high: .max))
        record.batches = [
            Batch(stretch: stretch, binding: Binding(server: ServerName("http://x/\"é"), epoch: 5, number: 8)),
            Batch(
                stretch: Stretch(
                    first: Sequence(21), last: Sequence(30), events: 10, bytes: 1, digest: Hash128(low: 0, high: 0)),
                isDisputed: true),
        ]
        #expect(ForwardingRecord(json: try record.json) == record)
        record.batches[0].stretch.events = 11
        #expect(ForwardingRecord(json: try record.json) == nil)
        #expect(ForwardingRecord(json: Array("{}".utf8)) == nil)

        let spool = try TestSpool.open(path)
        #expect(spool.notes.isEmpty && spool.record.cut == Sequence(0))
        var ahead = spool.record
        ahead.cut = Sequence(5)
        try spool.note.replace(with: ahead.json)
        try await spool.log.close()
        let log = try EventLog.open(
            path, options: Spool.options(SpoolBounds(), resolution: nil), environment: .system)
        #expect(throws: SpoolFault.self) { try Spool(log, in: path, .system) }
        try await log.close()
    }
}
