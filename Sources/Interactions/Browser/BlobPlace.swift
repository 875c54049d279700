/// Where in a blob a value is, as its sender knows it: `event_stream[3][1]`, `screen_size.width`. Text is made of it
/// for a fault alone.
struct BlobPlace {
    let field: BlobField
    private var indices: (Int, Int) = (-1, -1)
    private var member: Range<Int>?

    init(_ field: BlobField) { self.field = field }

    func element(_ index: Int) -> BlobPlace {
        var place = self
        if indices.0 < 0 { place.indices.0 = index } else { place.indices.1 = index }
        return place
    }

    func member(_ name: Range<Int>) -> BlobPlace {
        var place = self
        place.member = name
        return place
    }

    func text(in json: ValidJSON) -> String {
        let name = member.flatMap { json.unescaped($0, atMost: BlobField.Bound.wordBytes) }
        let parts = [indices.0, indices.1].filter { $0 >= 0 }.map { "[\($0)]" }
        return field.rawValue + parts.joined() + (name.map { ".\(String(decoding: $0, as: UTF8.self))" } ?? "")
    }
}
