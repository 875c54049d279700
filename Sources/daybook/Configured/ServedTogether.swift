import ServiceLifecycle

/// Servers and the jobs beside them: all end at the same time, also where one of them fails.
struct ServedTogether: Service {
    let services: [any Service]

    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for service in services { group.addTask { try await service.run() } }
            // The first that fails ends the group, and so the others.
            while try await group.next() != nil {}
        }
    }
}
