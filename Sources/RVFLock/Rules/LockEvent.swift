/// What happens to a lock, for logs and metrics.
public enum LockEvent: Equatable, Sendable {
    /// An acquisition waits because of this.
    case waiting(LockObstacle)
    case acquired(WriterID)
    /// The lock was acquired, and a stale record stood there: whose, where that could be told, and why it was stale.
    case takenOver(from: LockHolder?, because: StaleReason)
    case renewed(timestampNanoseconds: UInt64)
    /// A renewal failed; the lock is lost only if that goes on for 20 s.
    case renewalFailed(LockError)
    /// Said once, and final.
    case lost(LossReason)
    case handedOver
    case adopted(WriterID)
    case released
}

/// Why a lock is no longer this holder's. Final.
public enum LossReason: Equatable, Sendable {
    /// The lock file is gone.
    case missing
    /// Another file has the lock file's name.
    case replaced(by: LockHolder?)
    /// The file is the same, but another writer's record stands in it.
    case overwritten(by: LockHolder?)
    /// This process was stopped for longer than the freeze limit, and the lock was taken meanwhile.
    case takenWhileFrozen(by: LockHolder?)
    /// The record could not be renewed for longer than the freeze limit.
    case renewalFailed
    /// The protected file is gone, or another file has its name.
    case protectedFileReplaced
    /// This process is a fork of the one that acquired the lock.
    case forked
}
