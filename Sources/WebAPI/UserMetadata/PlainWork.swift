import UserMetadata

/// What a plain call of user metadata asks for, as its body says it.
enum PlainWork {
    case store(PlainEntry)
    case ask(PlainQuestion)

    /// `nil` for a body that is refused: others say why.
    init?(_ call: UserCall, _ body: UnsafeRawBufferPointer, _ store: UserStore) {
        do throws(BodyFault) {
            switch call {
            case .addLog: self = .store(.log(try store.entry(body)))
            case .setLastLogin: self = .store(.lastLogin(try store.lastLogin(body)))
            case .checkDevice: self = .ask(.check(try store.deviceQuestion(body)))
            case .userDevices: self = .ask(.devices(try UserQuestion(body)))
            case .lastLogin: self = .ask(.lastLogins(try LastLoginQuestion(body)))
            case .addLogs, .userLogs, .unusedAccounts, .eraseUser: return nil
            }
        } catch {
            return nil
        }
    }
}

/// What is stored.
enum PlainEntry {
    case log(LogEntry)
    case lastLogin(LastLogin)
}

/// What is answered from memory.
enum PlainQuestion {
    case check(DeviceQuestion)
    case devices(UserQuestion)
    case lastLogins(LastLoginQuestion)

    var username: [UInt8] {
        switch self {
        case .check(let question): question.username
        case .devices(let question): question.username
        case .lastLogins(let question): question.username
        }
    }

    func answer(of store: UserStore) -> [UInt8] {
        switch self {
        case .check(let question): store.check(question)
        case .devices(let question): store.devices(question)
        case .lastLogins(let question): store.lastLogins(question)
        }
    }
}
