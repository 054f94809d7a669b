import Synchronization

/// A value that is made when it is first asked for. Safe to share between threads: whoever asks while it is being
/// made waits. Making it may fail, and is then tried again for whoever asks next.
///
/// Not an object of its own: a snapshot has six of these, and a commit makes a snapshot.
package struct Lazy<Value: Sendable>: ~Copyable, Sendable {
    private let value: Mutex<Value?>

    package init(_ value: Value? = nil) {
        self.value = Mutex(value)
    }

    /// The value, if it has been made.
    package var ifMade: Value? { value.withLock { $0 } }

    package func get(_ make: () throws(StoreError) -> Value) throws(StoreError) -> Value {
        try value.withLock { (value) throws(StoreError) in
            if let value { return value }
            let made = try make()
            value = made
            return made
        }
    }

    /// The same, where making it cannot fail.
    func value(_ make: () -> Value) -> Value {
        value.withLock { value in
            let made = value ?? make()
            value = made
            return made
        }
    }
}
