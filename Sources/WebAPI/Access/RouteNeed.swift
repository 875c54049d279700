extension Route {
    /// What it has to be let in for (SPEC AC2).
    var need: AccessNeed {
        switch self {
        case .ping, .isAlive, .isReady: .nothing
        case .storeEvents: .scope(.ingest)
        case .readEvents, .countEvents, .readLastEvent, .followChanges: .scope(.read)
        case .metrics: .scope(.admin)
        case .user(let call): call.need
        case .describe, .version, .options: .anything
        }
    }
}
