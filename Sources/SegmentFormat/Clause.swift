/// Every rule of SPEC.md that bytes can break. The set is closed: what is wrong on disk is wrong by
/// one of these.
public enum Clause: String, CaseIterable, Sendable {
    case frameMagic = "F1"
    case frameTruncated = "F2"
    case frameLength = "F3"
    case frameKind = "F4"
    case frameVersion = "F5"
    case frameChecksum = "F6"
    case sectionTruncated = "S1"
    case sectionOrder = "S2"
    case sectionUnknown = "S3"
    case sectionMissing = "S4"
    case sectionLength = "S5"
    case headStream = "H1"
    case headStore = "H2"
    case headSegment = "H3"
    case headResolution = "H4"
    case blockSegment = "B1"
    case blockCommit = "B2"
    case blockBounds = "B3"
    case blockCodec = "B4"
    case runs = "R1"
    case sequenceColumn = "Q1"
    case deliveries = "K1"
    case dataTruncated = "D1"
    case dataChecksum = "D2"
    case dataFrame = "D3"
    case dataDecode = "D4"
    case dataLines = "D5"
    case commitOrder = "C1"
    case commitSequence = "C2"
    case sealIndex = "E1"
    case sealBlocks = "E2"
    case sealHash = "E3"
    case sealEnd = "E4"
    case manifestSegments = "N1"
    case manifestHeader = "N2"
    case manifestLists = "N3"
    case activeMark = "A1"
    case fileMissing = "L1"
    case fileLength = "L2"
    case fileHash = "L3"
}

/// Bytes that break a clause, and where: `offset` counts from the start of the file.
public struct FormatFault: Error, Hashable, Sendable, CustomStringConvertible {
    public let clause: Clause
    public let offset: UInt64

    public init(_ clause: Clause, at offset: UInt64) {
        self.clause = clause
        self.offset = offset
    }

    public var description: String { "\(clause.rawValue) \(clause) at offset \(offset)" }
}
