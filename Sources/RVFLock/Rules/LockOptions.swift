/// How long an acquisition waits for a lock that is held.
public enum LockWait: Equatable, Sendable {
    /// Not at all. A busy lock is still looked at for a quarter of a second before that is believed, since a
    /// killed process takes a moment to go.
    case none
    /// At most this long.
    case atMost(Duration)
    case forever
}

/// How the lock is taken, judged and kept.
public struct LockOptions: Sendable {
    /// Who keeps the record's timestamp fresh.
    public enum Renewal: Equatable, Sendable {
        /// The library, every 10 s, from one timer of the process.
        case automatic
        /// The caller, by ``WriterLock/renew()``. Peers on other hosts think an unrenewed record stale after
        /// 300 s.
        case manual
    }

    /// Whether the record is synced to the medium. A lock needs no durability on one machine (after a power cut
    /// nobody holds it); other machines have to see it.
    public enum Sync: Equatable, Sendable {
        /// On remote file systems only.
        case automatic
        case always
    }

    public var wait: LockWait
    public var rules: LockRules
    public var renewal: Renewal
    public var sync: Sync
    /// The names of this host; found as peers find theirs if nil.
    public var identity: HostIdentity?
    /// After a take-over: how long a naive peer that has just judged the old record is given to remove it.
    public var settle: Duration
    /// The same on a remote file system, whose clients see each other's writes late.
    public var remoteSettle: Duration
    /// Ends a wait early.
    public var cancellation: LockCancellation?
    /// Told what happens to the lock, in order, on the thread where it happens. Must not wait for the lock.
    public var observer: (@Sendable (LockEvent) -> Void)?

    public init(
        wait: LockWait = .none, rules: LockRules = .rvf, renewal: Renewal = .automatic, sync: Sync = .automatic,
        identity: HostIdentity? = nil, settle: Duration = .milliseconds(150), remoteSettle: Duration = .seconds(5),
        cancellation: LockCancellation? = nil, observer: (@Sendable (LockEvent) -> Void)? = nil
    ) {
        self.wait = wait
        self.rules = rules
        self.renewal = renewal
        self.sync = sync
        self.identity = identity
        self.settle = settle
        self.remoteSettle = remoteSettle
        self.cancellation = cancellation
        self.observer = observer
    }
}

/// Fixed times of the protocol, in nanoseconds.
package enum LockTiming {
    /// How long a busy guard is looked at before it is believed: a killed process can take this long to close its
    /// files, and another judge may hold it for a moment.
    package static let busyRetry: Int64 = 250_000_000
    package static let renewalInterval: Int64 = 10_000_000_000
    /// A longer gap between renewals means that this process was frozen: well below the 30 s after which a
    /// record begins to look old.
    package static let freezeLimit: Int64 = 20_000_000_000
    /// A guarded record younger than this has looked stale to nobody: 30 s, less a margin for clocks.
    package static let surelyFreshAge: Int64 = 25_000_000_000
    /// A file is published within this time of its birth; a take-over of malformed content looks again for longer
    /// (15 ms) before it writes, and a stale record is older by far.
    package static let publicationSpan: Int64 = 10_000_000
    /// How far a kernel's file times may lag behind its clock: a tick at the slowest usual rate.
    package static let fileTimeGrain: Int64 = 10_000_000
    /// Private files younger than this may belong to somebody at work.
    package static let privateFileAge: Int64 = 30_000_000_000
}
