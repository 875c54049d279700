/// The cookies of the webhead.
enum SessionCookie {
    static let name = "daybook_session"
    static let optOutName = "daybook_opt_out"

    /// The `Set-Cookie` of a session. Where pages of other origins may post, the cookie has to go with them, which
    /// browsers allow over TLS alone.
    static func field(_ value: String, isSecure: Bool, crossesOrigins: Bool) -> String {
        let site = isSecure && crossesOrigins ? "None" : "Lax"
        return "\(name)=\(value); Path=/wsapi; HttpOnly; SameSite=\(site)" + (isSecure ? "; Secure" : "")
    }
}
