/// By what a person says not to be measured.
public enum OptOutSignal: String, CaseIterable, Sendable {
    /// The field `Sec-GPC: 1`.
    case gpc
    /// The field `DNT: 1`.
    case dnt
    /// The cookie `daybook_opt_out`, other than `0`.
    case cookie
}
