import Synchronization

/// A value that one thread waits for and another gives, once.
final class Answer<Value: Sendable>: Sendable {
    private let value = Mutex<Value?>(nil)
    private let alarm = Alarm()

    func give(_ given: Value) {
        value.withLock { $0 = given }
        alarm.ring()
    }

    /// Blocks the thread.
    func wait() -> Value {
        while true {
            alarm.wait(atMost: nil)
            if let given = value.withLock({ $0 }) { return given }
        }
    }
}
