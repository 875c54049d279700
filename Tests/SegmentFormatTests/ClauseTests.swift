import Testing

@testable import SegmentFormat

@Suite("Clause by clause")
struct ClauseTests {
    @Test("each fixture breaks its clause, and just there", arguments: ClauseFixture.formatLevel)
    func breaks(_ fixture: ClauseFixture) throws {
        let bytes = try #require(FixtureFiles.read(fixture.path), "no \(fixture.path)")
        #expect(fixture.fault(of: bytes) == FormatFault(fixture.clause, at: UInt64(fixture.offset ?? 0)))
    }

    @Test("what only a store can see is no fault of the file", arguments: ClauseFixture.all.filter { $0.offset == nil })
    func isWellFormed(_ fixture: ClauseFixture) throws {
        let bytes = try #require(FixtureFiles.read(fixture.path), "no \(fixture.path)")
        guard fixture.clause != .headSegment else { return }
        #expect(fixture.fault(of: bytes) == nil)
    }

    @Test("each fixture is what the code here makes", arguments: ClauseFixture.all)
    func isMade(_ fixture: ClauseFixture) {
        if FixtureFiles.isWriting { #expect(FixtureFiles.write(fixture.path, fixture.bytes)) }
        #expect(FixtureFiles.read(fixture.path) == fixture.bytes, "DAYBOOK_WRITE_FIXTURES=1 writes it anew")
    }

    @Test("every clause has one fixture, and a test that names it")
    func everyClause() {
        let atFormat = Set(ClauseFixture.formatLevel.map(\.clause))
        let folder = "\(FixtureFiles.root)/Tests/LogEngineTests"
        let tests = FixtureFiles.names(in: folder).compactMap { FixtureFiles.read("\(folder)/\($0)") }
            .map { String(decoding: $0, as: UTF8.self) }.joined()
        for clause in Clause.allCases {
            #expect(ClauseFixture.all.count { $0.clause == clause } == 1, "no fixture for \(clause)")
            #expect(atFormat.contains(clause) || tests.contains(".\(clause)"), "no test names \(clause)")
        }
    }
}
