import StrictJSON

/// Why a request was refused, and where.
public struct BodyFault: Error, Equatable, Sendable {
    /// What is wrong. The tokens of `token` are part of the wire contract.
    public enum Reason: Equatable, Sendable {
        /// The body is not the JSON that it should be.
        case json(EventFault.Reason)
        case missing
        /// It came twice, under one name or two.
        case duplicate
        /// What the field has to be instead.
        case invalid(String)
        case noEntries
    }

    public let reason: Reason
    /// As `log.device_info.id`; empty where no field is to blame.
    public let field: String
    /// Bytes from the start of the body.
    public internal(set) var offset: Int
    /// Of a batch: the entry, 0 the first.
    public internal(set) var entry: Int?

    init(_ reason: Reason, _ field: String = "", at offset: Int) {
        self.reason = reason
        self.field = field
        self.offset = offset
    }

    init(_ fault: EventFault) {
        self.init(.json(fault.reason), at: fault.offset)
    }

    /// Never changes; under which refusals are counted.
    public var token: String {
        switch reason {
        case .json(let reason): reason.rawValue
        case .missing: "missing_field"
        case .duplicate: "duplicate_field"
        case .invalid: "invalid_field"
        case .noEntries: "no_entries"
        }
    }
}

extension BodyFault: CustomStringConvertible {
    public var description: String {
        let place = entry.map { "entry \($0), " } ?? ""
        return switch reason {
        case .json(let reason): "\(place)byte \(offset): \(reason.message)"
        case .missing: "\(place)the field \(field) is missing"
        case .duplicate: "\(place)the field \(field) comes more than once"
        case .invalid(let rule): "\(place)the field \(field) must be \(rule)"
        case .noEntries: "the body has no entries"
        }
    }
}
