/// A row that is one of a chain.
protocol ChainedRow: Sendable {
    /// The row behind it.
    var next: RowLink { get set }
}

/// The place of a row, or none.
struct RowLink: Equatable, Sendable {
    static let none = RowLink(raw: 0)
    private var raw: UInt32

    private init(raw: UInt32) { self.raw = raw }
    init(_ index: Int) { raw = UInt32(index + 1) }
    var index: Int? { raw == 0 ? nil : Int(raw - 1) }
}

/// Rows in chains, in one piece of memory: a chain costs no object of its own.
struct RowPool<Row: ChainedRow>: Sendable {
    private var rows: [Row] = []
    private var freed = RowLink.none
    /// In chains.
    private(set) var count = 0

    subscript(index: Int) -> Row {
        get { rows[index] }
        set { rows[index] = newValue }
        _modify { yield &rows[index] }
    }

    /// Puts a row at the front of a chain.
    mutating func push(_ row: Row, on chain: inout RowLink) -> Int {
        var row = row
        row.next = chain
        count += 1
        let index: Int
        if let free = freed.index {
            freed = rows[free].next
            rows[free] = row
            index = free
        } else {
            index = rows.count
            rows.append(row)
        }
        chain = RowLink(index)
        return index
    }

    func first(in chain: RowLink, where matches: (Row) -> Bool) -> Int? {
        var link = chain
        while let index = link.index {
            if matches(rows[index]) { return index }
            link = rows[index].next
        }
        return nil
    }

    func rows(of chain: RowLink) -> [Row] {
        var (found, link) = ([Row](), chain)
        while let index = link.index {
            found.append(rows[index])
            link = rows[index].next
        }
        return found
    }

    /// Gives the rows of a chain back; `blank` takes their place.
    mutating func free(_ chain: inout RowLink, blank: Row) {
        while let index = chain.index {
            chain = rows[index].next
            rows[index] = blank
            count -= 1
            rows[index].next = freed
            freed = RowLink(index)
        }
    }
}
