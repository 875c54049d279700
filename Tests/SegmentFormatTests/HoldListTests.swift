import Testing

@testable import SegmentFormat

@Suite("Holds")
struct HoldListTests {
    private func hold(_ number: UInt64, from: UInt64 = 1, to: UInt64 = 2, reason: String = "a lawsuit") -> Hold {
        Hold(number: number, from: .ofHour(from), to: .ofHour(to), created: 0, reason: reason)
    }

    private func manifest(_ change: (inout HoldList) -> Void) -> Manifest {
        var manifest = FrameSample.newManifestValue
        change(&manifest.lists.holds)
        return manifest
    }

    @Test("a number is never used again, whichever holds are removed and in whatever order, also once read back")
    func numbers() throws {
        for order in [[1, 2, 3], [1, 3, 2], [2, 1, 3], [2, 3, 1], [3, 1, 2], [3, 2, 1]] as [[UInt64]] {
            var left = manifest { holds in
                for number in 1...3 as ClosedRange<UInt64> { holds.add(hold(number)) }
            }
            for (index, number) in order.enumerated() {
                left.lists.holds.remove(number)
                #expect(left.lists.holds.all.map(\.number) == [1, 2, 3].filter { !order[...index].contains($0) })
                #expect(left.lists.holds.nextNumber == 4, "\(order[...index]) removed")
                #expect(left.encoded().decoded(Manifest.decode) == .success(left))
            }
            left.lists.holds.remove(7)
            left.lists.holds.add(hold(4))
            #expect(left.encoded() == manifest { $0 = .of(hold(4)) }.encoded(), "one hold, the same bytes")
        }
    }

    @Test("numbers that do not rise, an end before its beginning, and a removed hold that is not the last are refused")
    func refused() throws {
        let other = hold(2)
        let lists: [(holds: [Hold], place: Int?)] = [
            ([hold(1), other], nil), ([hold(5), hold(9)], nil), ([hold(1), .removed(2)], nil), ([.removed(1)], nil),
            ([hold(1), hold(1)], 45), ([other, hold(1)], 45), ([hold(0)], 0), ([hold(1 << 63)], 0),
            ([hold(1, from: 3, to: 2)], 0), ([hold(1, from: 2, to: 2)], nil),
            ([hold(1), .removed(1)], 45), ([.removed(0)], 0), ([.removed(1), other], 36),
            ([hold(1, reason: String(repeating: "é", count: 512))], nil),
            ([hold(1, reason: String(repeating: "é", count: 513))], 32),
        ]
        for (holds, place) in lists {
            var forge = FrameForge(manifest { $0 = .of(other) }.encoded())
            forge[.holds] = holds.flatMap(\.bytes)
            let fault = forge.frame().decoded(Manifest.decode).fault
            let expected = place.map { FormatFault(.manifestLists, at: UInt64(forge.offset(of: .holds) + $0)) }
            #expect(fault == expected, "\(holds)")
        }
    }
}

extension HoldList {
    /// With all numbers up to that of `hold` used.
    fileprivate static func of(_ hold: Hold) -> HoldList {
        var list = HoldList()
        for number in 1..<hold.number {
            list.add(Hold(number: number, from: .earliest, to: .latest, created: 0, reason: ""))
            list.remove(number)
        }
        list.add(hold)
        return list
    }
}

extension Hold {
    fileprivate var bytes: [UInt8] {
        var writer = ByteWriter()
        for field in [number, from.milliseconds, to.milliseconds, created] { writer.put(field) }
        writer.put(UInt32(reason.utf8.count))
        writer.put(reason.utf8)
        return writer.bytes
    }
}
