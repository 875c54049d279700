/// Texts that rows share, by a number: each is forgotten with the last row that has it. So there are no more of them
/// than rows, whatever clients call themselves over the years.
struct SharedTexts {
    private var texts: TextTable
    /// By the number of a text.
    private var rows: [UInt32] = []

    init(seed: UInt64) { texts = TextTable(seed: seed) }

    /// Texts.
    var count: Int { texts.count }

    /// The number of a text for one row more. Every one has to be given back.
    mutating func take(_ text: [UInt8]) -> UInt32 { text.withUnsafeBytes { take($0) } }

    mutating func take(_ text: UnsafeRawBufferPointer) -> UInt32 {
        let number = texts.insert(text)
        if number == rows.count { rows.append(0) }
        rows[number] += 1
        return UInt32(number)
    }

    mutating func giveBack(_ number: UInt32) {
        rows[Int(number)] -= 1
        if rows[Int(number)] == 0 { texts.remove(Int(number)) }
    }

    func find(_ text: [UInt8]) -> UInt32? { texts.find(text).map(UInt32.init) }

    subscript(number: UInt32) -> [UInt8] { texts[Int(number)] }

    /// Compares two texts by their bytes.
    func isBefore(_ a: UInt32, _ b: UInt32) -> Bool { texts.isBefore(Int(a), Int(b)) }
}
