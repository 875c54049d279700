import HTTPTypes

/// By what a person says not to be measured.
public enum OptOutSignal: String, CaseIterable, Sendable {
    /// The field `Sec-GPC: 1`.
    case gpc
    /// The field `DNT: 1`.
    case dnt
    /// The cookie `daybook_opt_out`, other than `0`.
    case cookie

    private static let globalPrivacyControl = HTTPField.Name.known("Sec-GPC")
    private static let doNotTrack = HTTPField.Name.known("DNT")

    func isGiven(in fields: HTTPFields) -> Bool {
        switch self {
        case .gpc: return fields[Self.globalPrivacyControl] == "1"
        case .dnt: return fields[Self.doNotTrack] == "1"
        case .cookie:
            guard let value = SessionCookie.value(of: SessionCookie.optOutName, in: fields) else { return false }
            return value != "0" && !value.isEmpty
        }
    }
}
