import HTTPTypes

/// The cookies of the webhead.
enum SessionCookie {
    static let name = "daybook_session"
    static let optOutName = "daybook_opt_out"

    /// The value of a cookie; of several of a name the first.
    static func value(of name: String, in fields: HTTPFields) -> Substring? {
        for field in fields where field.name == .cookie {
            for part in field.value.split(separator: ";") {
                let pair = part.drop { $0 == " " || $0 == "\t" }
                guard pair.hasPrefix(name), pair.dropFirst(name.count).first == "=" else { continue }
                return pair.dropFirst(name.count + 1)
            }
        }
        return nil
    }

    /// The `Set-Cookie` of a session. Where pages of other origins may post, the cookie has to go with them, which
    /// browsers allow over TLS alone.
    static func field(_ value: String, isSecure: Bool, crossesOrigins: Bool) -> String {
        let site = isSecure && crossesOrigins ? "None" : "Lax"
        return "\(name)=\(value); Path=/wsapi; HttpOnly; SameSite=\(site)" + (isSecure ? "; Secure" : "")
    }
}
