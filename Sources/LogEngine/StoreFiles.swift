import Glibc
import SegmentFormat

// The files in `hot/` and `cold/` against the manifest (SPEC V1), for the writer that opens the store: what no
// manifest lists is live from its first unlisted number on. What is not was replaced or purged, or was never
// finished; it is removed.

struct StoreFiles {
    private let layout: Layout
    private let disk: any Disk
    private let firstUnlisted: SegmentNumber
    private let listed: Set<String>
    private let checkpoints: [Checkpoint]
    private(set) var notes: [String] = []

    init(_ layout: Layout, _ disk: any Disk, _ manifest: Manifest) {
        self.layout = layout
        self.disk = disk
        firstUnlisted = manifest.firstLiveUnlisted
        checkpoints = manifest.lists.checkpoints
        listed = Set(manifest.segments.map { layout.path(of: $0) })
    }

    /// Removes what is dead. Returns the numbers of what lives without being listed, rising.
    mutating func sort() throws(StoreError) -> [SegmentNumber] {
        try disk.removeCheckpoints(besides: checkpoints, layout)
        let unlisted = try sortHot()
        for name in try disk.names(in: layout.cold).sorted() {
            if let day = Layout.coldDay(named: name) { try sortCold(day) } else { leave("\(layout.cold)/\(name)") }
        }
        return unlisted
    }

    private mutating func sortHot() throws(StoreError) -> [SegmentNumber] {
        var live: [SegmentNumber] = []
        for name in try disk.names(in: layout.hot).sorted() where name != "ACTIVE" {
            let path = "\(layout.hot)/\(name)"
            guard let segment = Layout.hotSegment(named: name) else {
                leave(path)
                continue
            }
            if segment >= firstUnlisted { live.append(segment) } else { try removeUnlisted(path) }
        }
        return live
    }

    private mutating func sortCold(_ day: UInt32) throws(StoreError) {
        let directory = layout.coldDirectory(day)
        do throws(StoreError) {
            for name in try disk.names(in: directory).sorted() {
                let path = "\(directory)/\(name)"
                if Layout.coldSegment(named: name) == nil { leave(path) } else { try removeUnlisted(path) }
            }
        } catch {
            guard error.systemCode == ENOTDIR else { throw error }
            leave(directory)
        }
    }

    private mutating func leave(_ path: String) { notes.append("\(path) is no segment; it is left alone") }

    private mutating func removeUnlisted(_ path: String) throws(StoreError) {
        guard !listed.contains(path) else { return }
        try disk.removeFile(path)
        notes.append("\(path) is not one of this store's segments any more; it is removed")
    }
}
