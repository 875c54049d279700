import CoreMetrics
import UserMetadata

/// The views of user metadata in numbers, when they are asked for.
struct UserMetrics: Sendable {
    private let store: UserStore
    private let factory: any MetricsFactory

    init(_ store: UserStore, _ factory: any MetricsFactory) {
        self.store = store
        self.factory = factory
    }

    func update() {
        for view in store.views {
            let labels = [("view", view.name)]
            Meter(label: "daybook_view_users", dimensions: labels, factory: factory).set(view.users)
            Meter(label: "daybook_view_rows", dimensions: labels, factory: factory).set(view.rows)
        }
    }
}

extension MetricTable {
    /// What user metadata tells besides (SPEC UC7).
    static let users: [MetricDescription] = [
        .init("daybook_view_users", .gauge, ["view"], "Users that a view knows."),
        .init("daybook_view_rows", .gauge, ["view"], "Devices, or last logins, that a view knows."),
    ]
}
