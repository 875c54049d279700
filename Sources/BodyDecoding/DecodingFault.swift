/// What a body may grow to.
public struct DecodingLimits: Equatable, Sendable {
    /// Decoded, at most.
    public var bytes: Int
    /// Decoded bytes for each coded one, at most, once there are more than `floor`.
    public var ratio: Int
    /// Decoded bytes to which the ratio does not matter.
    public var floor: Int

    public init(bytes: Int, ratio: Int, floor: Int) {
        self.bytes = bytes
        self.ratio = ratio
        self.floor = floor
    }
}

/// Why a coded body was refused.
public struct DecodingFault: Error, Equatable, Sendable {
    public enum Kind: Equatable, Sendable {
        /// It ends within a frame, or has none.
        case truncated
        /// A frame is not what its coding allows, or its checksum is wrong.
        case corrupt
        /// Behind a frame is something that is none.
        case trailing
        /// It grew beyond `DecodingLimits.bytes`.
        case tooLarge
        /// It grew beyond `DecodingLimits.ratio`.
        case ratio
    }

    public let kind: Kind
    /// Bytes of the coded body that were read before the fault.
    public let offset: Int
    /// In the words of the coding's library, or in ours.
    public let detail: String
}
