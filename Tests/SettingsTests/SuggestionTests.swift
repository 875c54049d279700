import Testing

@testable import Settings

@Suite("suggestions")
struct SuggestionTests {
    @Test(
        "one or two slips are seen, more are another word",
        arguments: [
            ("listners", "listeners"), ("lsiteners", "listeners"), ("limit", "limits"), ("LIMITS", nil), ("tls", "tls"),
            ("ssl", nil), ("token", "tokens"), ("", nil), ("listeners2", "listeners"), ("lists", "limits"),
            ("list", nil),
        ])
    func nearest(word: String, wanted: String?) {
        #expect(Suggestion.nearest(to: word, among: ["listeners", "limits", "tokens", "tls"]) == wanted)
    }
}
