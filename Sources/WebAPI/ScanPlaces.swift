import Synchronization

// A scan holds a few MiB: a decoded block, what it reads ahead, what it gathers. While its client does not
// read they are held for nothing, so only so many answers may keep a scan between two pieces. One that
// finds no place makes its scan anew for each piece, from a cursor: slower, but its client is slow as well,
// or one of many.

/// The places for scans that are kept.
final class ScanPlaces: Sendable {
    private let count: Int
    private let taken = Atomic<Int>(0)

    init(_ count: Int = 12) { self.count = count }

    /// `nil` where all are taken.
    func take() -> ScanPlace? {
        guard taken.add(1, ordering: .relaxed).newValue <= count else {
            giveBack()
            return nil
        }
        return ScanPlace(self)
    }

    fileprivate func giveBack() { taken.subtract(1, ordering: .relaxed) }
}

/// Taken until the end of its life.
final class ScanPlace: Sendable {
    private let places: ScanPlaces

    fileprivate init(_ places: ScanPlaces) { self.places = places }

    deinit { places.giveBack() }
}
