import Glibc
import Interactions
import SegmentFormat
import StrictJSON

/// What a scan gave: the stored line and its bucket.
struct StoredEvent: Equatable {
    var line: [UInt8]
    var bucket: Bucket

    var text: String { String(decoding: line, as: UTF8.self) }
}

func scan(_ text: String, resolution: Resolution = .tenMinutes) -> Result<StoredEvent, EventFault> {
    scan(Array(text.utf8), resolution: resolution)
}

func scan(_ input: [UInt8], resolution: Resolution = .tenMinutes) -> Result<StoredEvent, EventFault> {
    input.withUnsafeBytes { scan($0, resolution: resolution) }
}

func scan(_ input: UnsafeRawBufferPointer, resolution: Resolution) -> Result<StoredEvent, EventFault> {
    let output = UnsafeMutableRawBufferPointer.allocate(byteCount: input.count, alignment: 1)
    defer { output.deallocate() }
    guard let start = output.baseAddress else { fatalError("an allocation without an address") }
    do throws(EventFault) {
        let event = try EventScanner(resolution: resolution).scan(input, into: start)
        return .success(StoredEvent(line: Array(output.prefix(event.byteCount)), bucket: event.bucket))
    } catch {
        return .failure(error)
    }
}

extension Result<StoredEvent, EventFault> {
    var stored: StoredEvent? { try? get() }

    var fault: EventFault? {
        guard case .failure(let fault) = self else { return nil }
        return fault
    }
}

extension Resolution {
    static let oneHour = width(3_600_000)
    static let oneDay = width(86_400_000)
    static let oneSecond = width(1_000)

    static func width(_ milliseconds: UInt64) -> Resolution {
        guard let resolution = Resolution(milliseconds: milliseconds) else {
            fatalError("\(milliseconds) ms is no resolution")
        }
        return resolution
    }
}

/// Readable memory that ends at a page nobody may touch: a read past the end is a crash, not luck.
final class GuardedPage {
    private let base: UnsafeMutableRawPointer
    private let pageSize = Int(sysconf(Int32(_SC_PAGESIZE)))

    init() {
        let access = PROT_READ | PROT_WRITE
        guard let base = mmap(nil, 2 * pageSize, access, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), base != MAP_FAILED,
            mprotect(base + pageSize, pageSize, PROT_NONE) == 0
        else { fatalError("no guarded page: errno \(errno)") }
        self.base = base
    }

    deinit { munmap(base, 2 * pageSize) }

    /// `bytes`, copied so that the last of them is the last readable one.
    func holding(_ bytes: ArraySlice<UInt8>) -> UnsafeRawBufferPointer {
        let start = base + (pageSize - bytes.count)
        start.copyMemory(from: Array(bytes), byteCount: bytes.count)
        return UnsafeRawBufferPointer(start: start, count: bytes.count)
    }
}

/// SplitMix64: the same numbers for the same seed, everywhere.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

extension Array {
    func anyElement(_ random: inout SeededGenerator) -> Element {
        self[Int.random(in: indices, using: &random)]
    }
}
