import SegmentFormat

// The two manifest slots (SPEC §7). A change is written to one and synced, then to the other, so
// that one of them is whole at any moment and, at rest, nothing is lost with either.

/// What the slots hold, and which of them rules.
struct ManifestReading {
    enum Slot: Equatable {
        case absent
        case broken(FormatFault)
        case valid(Manifest)
    }

    let slots: [Slot]

    var ruling: Manifest? {
        slots.compactMap { if case .valid(let manifest) = $0 { manifest } else { nil } }
            .max { $0.generation < $1.generation }
    }

    var isAbsent: Bool { slots.allSatisfy { $0 == .absent } }

    /// A slot that is not the ruling manifest, where there is one.
    var weakestSlot: Int {
        guard let ruling else { return 0 }
        return slots.firstIndex { $0 != .valid(ruling) } ?? 0
    }

    static func read(_ layout: Layout, _ disk: any Disk) throws(StoreError) -> ManifestReading {
        var slots: [Slot] = []
        for slot in 0..<ManifestStore.slotCount { slots.append(try readSlot(layout.manifest(slot), disk)) }
        return ManifestReading(slots: slots)
    }

    private static func readSlot(_ path: String, _ disk: any Disk) throws(StoreError) -> Slot {
        guard let length = try disk.fileLength(path) else { return .absent }
        let bound = UInt64(FrameKind.manifest.bound + 8)
        let bytes = try StoreFile(disk, path, .read).read(Int(min(length, bound + 1)), at: 0)
        do throws(FormatFault) {
            return .valid(try bytes.decoded(Manifest.decode))
        } catch {
            return .broken(error)
        }
    }

    func notes(_ layout: Layout) -> (notes: [String], faults: [FileFault]) {
        guard let ruling else { return ([], []) }
        var notes: [String] = []
        var faults: [FileFault] = []
        for (index, slot) in slots.enumerated() {
            let path = layout.manifest(index)
            switch slot {
            case .absent:
                notes.append("\(path) is missing; the other manifest rules and both are written anew")
            case .broken(let fault):
                notes.append("\(path) is damaged (\(fault)); the other manifest rules and both are written anew")
                faults.append(FileFault(path: path, fault: fault))
            case .valid(let manifest) where manifest.generation < ruling.generation:
                notes.append("\(path) is one change behind; it is written anew")
            case .valid:
                break
            }
        }
        return (notes, faults)
    }
}

/// Writes manifests. The one in memory is always the one that was last made durable.
final class ManifestStore {
    static let slotCount = 2

    private let layout: Layout
    private let disk: any Disk
    private(set) var current: Manifest
    /// Of the last manifest that may have reached a slot: a failed update uses its number up.
    private var highestGeneration: UInt64
    /// The slot that is written first: not the one that rules.
    private var weakestSlot: Int

    init(_ layout: Layout, _ disk: any Disk, current: Manifest, weakestSlot: Int = 0) {
        self.layout = layout
        self.disk = disk
        self.current = current
        self.weakestSlot = weakestSlot
        highestGeneration = current.generation
    }

    /// Makes both slots of a new store, or of a repaired one.
    func create() throws(StoreError) {
        let bytes = current.encoded()
        for slot in 0..<Self.slotCount { try recreate(slot, bytes) }
    }

    /// Makes a change durable. What the first slot takes rules, so a disk that is full before the second
    /// takes nothing back: the next update writes that one first. On any other failure nobody knows which
    /// manifest rules, but at least one slot is whole.
    func update(_ change: (inout Manifest) -> Void) throws(StoreError) {
        var next = current
        change(&next)
        highestGeneration += 1
        next.generation = highestGeneration
        let bytes = next.encoded()
        try write(bytes, to: weakestSlot)
        current = next
        weakestSlot = 1 - weakestSlot
        do throws(StoreError) {
            try write(bytes, to: weakestSlot)
            weakestSlot = 1 - weakestSlot
        } catch {
            guard error.code == .noSpace else { throw error }
        }
    }

    private func write(_ bytes: [UInt8], to slot: Int) throws(StoreError) {
        if try disk.fileLength(layout.manifest(slot)) == nil {
            try recreate(slot, bytes)
        } else {
            try overwrite(slot, bytes)
        }
    }

    private func overwrite(_ slot: Int, _ bytes: [UInt8]) throws(StoreError) {
        let file = try StoreFile(disk, layout.manifest(slot), .update)
        try file.write(bytes, at: 0)
        do throws(StoreError) { try file.truncate(to: UInt64(bytes.count)) } catch { throw error.beyondRepair }
        try file.sync(.manifestSlot)
    }

    private func recreate(_ slot: Int, _ bytes: [UInt8]) throws(StoreError) {
        let file = try StoreFile(disk, layout.temporaryManifest(slot), .create)
        try file.write(bytes, at: 0)
        try file.sync(.manifestCreation)
        try disk.moveFile(layout.temporaryManifest(slot), to: layout.manifest(slot))
        try disk.syncNames(of: layout.root, .manifestDirectory)
    }
}

extension [UInt8] {
    /// Decodes what is in the array.
    func decoded<Value>(
        _ decode: (UnsafeRawBufferPointer) throws(FormatFault) -> Value
    ) throws(FormatFault) -> Value {
        let result: Result<Value, FormatFault> = withUnsafeBytes { bytes in
            do throws(FormatFault) { return .success(try decode(bytes)) } catch { return .failure(error) }
        }
        return try result.get()
    }
}
