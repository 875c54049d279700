import Testing

@testable import Interactions

@Suite("Sampling by session")
struct SessionSampleTests {
    private static let sessions = (0..<20_000).map { Array("session \($0)".utf8) }

    @Test("a rate keeps about its share, and a lower rate keeps some of the same")
    func share() throws {
        let third = try #require(SessionSample(rate: 1.0 / 3))
        let tenth = try #require(SessionSample(rate: 0.1))
        let kept = Set(Self.sessions.filter(third.keeps))
        let fewer = Set(Self.sessions.filter(tenth.keeps))
        #expect((6_300...7_000).contains(kept.count))
        #expect((1_850...2_150).contains(fewer.count))
        #expect(fewer.isSubset(of: kept))
    }

    @Test("the ends keep all and none; what is no rate is refused")
    func ends() throws {
        let none = try #require(SessionSample(rate: 0))
        #expect(Self.sessions.allSatisfy(SessionSample.all.keeps))
        #expect(!Self.sessions.contains(where: none.keeps))
        #expect(SessionSample(rate: 1.1) == nil)
        #expect(SessionSample(rate: -0.1) == nil)
        #expect(SessionSample(rate: .nan) == nil)
    }

    @Test("the choice is the same in every life of every webhead")
    func fixed() throws {
        let half = try #require(SessionSample(rate: 0.5))
        let kept = (0..<8).map { half.keeps(Array("session \($0)".utf8)) }
        #expect(kept == [false, false, true, true, true, false, true, false])
    }
}
