import Glibc
import LogEngine
import TestSupport
import Testing

@Suite("private files")
struct PrivateFileTests {
    private static let path = "/data/TOKENS"
    private static let (old, new) = (Array("old".utf8), Array(String(repeating: "new", count: 400).utf8))

    private static func update(_ disk: VirtualDisk, to content: [UInt8]) throws {
        try PrivateFile(path, disk).update(atMost: 4_096) { _ in (content, ()) }
    }

    private static func made() throws -> VirtualDisk {
        let disk = VirtualDisk()
        try disk.makeDirectory("/data")
        try disk.syncDirectory("/", .storeDirectory)
        try update(disk, to: old)
        return disk
    }

    /// What does not hold after the power was cut at each operation of a change, and at its end.
    private static func harm(ignoring: Set<SyncPoint> = []) throws -> [String] {
        var harm: [String] = []
        for cut in 1... {
            let disk = try made()
            disk.ignoredSyncs = ignoring
            disk.stop(at: disk.operations + cut)
            let done = Result { try update(disk, to: new) }
            for seed in 0..<20 as Range<UInt64> {
                let left = disk.powerLoss(seed: seed, mode: seed == 0 ? .dropAll : .random)
                let found = try PrivateFile(path, left).read(atMost: 4_096)
                if case .success = done, found != new { harm.append("cut \(cut), seed \(seed): lost") }
                if found != old, found != new { harm.append("cut \(cut), seed \(seed): torn") }
                try update(left, to: old)
            }
            guard disk.isStopped else { return harm }
        }
        return harm
    }

    @Test("after a power loss there is the old content or the new, and the new once it was said to be there")
    func powerLoss() throws {
        let harm = try Self.harm()
        #expect(harm.isEmpty, "\(harm)")
    }

    @Test("each of its syncs is needed", arguments: [SyncPoint.privateFile, .privateDirectory])
    func syncs(point: SyncPoint) throws {
        let harm = try Self.harm(ignoring: [point])
        #expect(!harm.isEmpty)
    }

    @Test("nobody changes a file that somebody else is changing")
    func locked() throws {
        let disk = try Self.made()
        let lock = try disk.lock("\(Self.path).lock")
        #expect { try Self.update(disk, to: Self.new) } throws: { ($0 as? StoreError)?.code == .locked }
        lock.close()
        try Self.update(disk, to: Self.new)
        #expect(disk.contents(Self.path) == Self.new)
    }

    @Test("what a change refuses changes nothing, and the next one goes on")
    func refused() throws {
        struct Refusal: Error {}
        let disk = try Self.made()
        #expect(throws: Refusal.self) {
            try PrivateFile(Self.path, disk).update(atMost: 4_096) { content -> ([UInt8], Void) in
                #expect(content == Self.old)
                throw Refusal()
            }
        }
        #expect(disk.contents(Self.path) == Self.old)
        try Self.update(disk, to: Self.new)
    }

    @Test("a file that is too long is not read")
    func tooLong() throws {
        let disk = try Self.made()
        #expect(try PrivateFile(Self.path, disk).read(atMost: 3) == Self.old)
        #expect { try PrivateFile(Self.path, disk).read(atMost: 2) } throws: { ($0 as? StoreError)?.code == .corrupt }
        #expect(try PrivateFile("/data/none", disk).read(atMost: 2) == nil)
    }

    @Test("on a real disk it is its owner's alone, whatever was there before")
    func mode() throws {
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/below/TOKENS"
        mkdir("\(directory.path)/below", 0o755)
        _ = try directory.write("left behind", to: "below/TOKENS.new")
        try PrivateFile(path, PosixDisk()).update(atMost: 10) { _ in (Self.old, ()) }
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
        #expect(WholeFile.read(path) == Self.old)
    }
}
