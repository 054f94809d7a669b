import Synchronization

/// Ends the wait of an acquisition that another thread has begun. Safe to use from any thread; final once used.
public final class LockCancellation: Sendable {
    private let flag = Atomic<Bool>(false)

    public init() {}

    /// The waiting acquisition throws ``LockError/cancelled(_:)`` within about 20 ms and leaves nothing behind.
    public func cancel() { flag.store(true, ordering: .releasing) }

    public var isCancelled: Bool { flag.load(ordering: .acquiring) }
}
