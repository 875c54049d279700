/// The name that was probably meant.
enum Suggestion {
    /// The nearest of `names` that two slips or fewer lead to, and not more than one in three of the letters.
    static func nearest(to word: String, among names: some Collection<String>) -> String? {
        let near = names.map { (name: $0, slips: slips(Array(word.utf8.prefix(64)), Array($0.utf8))) }
        let best = near.min { ($0.slips, $0.name) < ($1.slips, $1.name) }
        guard let best, best.slips <= 2, best.slips * 3 <= max(best.name.utf8.count, word.utf8.count, 3) else {
            return nil
        }
        return best.name
    }

    /// Letters left out, put in, exchanged for others or for their neighbours.
    static func slips(_ one: [UInt8], _ other: [UInt8]) -> Int {
        var rows = [Array(0...other.count)]
        for (i, letter) in one.enumerated() {
            var row = [i + 1]
            for (j, wanted) in other.enumerated() {
                var least = min(row[j] + 1, rows[i][j + 1] + 1, rows[i][j] + (letter == wanted ? 0 : 1))
                if i > 0, j > 0, letter == other[j - 1], one[i - 1] == wanted {
                    least = min(least, rows[i - 1][j - 1] + 1)
                }
                row.append(least)
            }
            rows.append(row)
        }
        return rows[one.count][other.count]
    }
}
