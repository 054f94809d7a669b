/// When somebody else's record may be taken over.
///
/// What a kernel lock proves comes first whatever the rules say: a record whose writer declared a kernel lock
/// that is free by now belongs to nobody.
public struct LockRules: Equatable, Sendable {
    /// What to think of a record that was written on another host, whose processes cannot be asked.
    public enum OtherHosts: Equatable, Sendable {
        /// Stale once its timestamp is older than this: the RVF rule. A holder that never renews (the reference
        /// runtime does not) is robbed after this time though it lives.
        case staleAfter(Duration)
        /// The same, and the protected file must not have changed for as long.
        case staleAfterQuiet(Duration)
        /// Never stale: somebody has to break it by name.
        case neverStale
    }

    /// What to do with a lock file that holds no lock record.
    public enum MalformedRecords: Equatable, Sendable {
        /// Take it over as soon as it cannot be a record on its way.
        case takeOver
        /// Leave it to a person.
        case refuse
    }

    /// How old the record of a dead process of this host must be.
    public var deadProcessAge: Duration
    public var otherHosts: OtherHosts
    public var malformedRecords: MalformedRecords
    /// How long a lock file may be empty, or of unsure content, before its writer is given up.
    public var initialisingAge: Duration

    public init(
        deadProcessAge: Duration, otherHosts: OtherHosts, malformedRecords: MalformedRecords,
        initialisingAge: Duration = .seconds(30)
    ) {
        self.deadProcessAge = deadProcessAge
        self.otherHosts = otherHosts
        self.malformedRecords = malformedRecords
        self.initialisingAge = initialisingAge
    }

    /// The rules of the RVF format: a dead process's record after 30 s, another host's after 300 s.
    public static let rvf = LockRules(
        deadProcessAge: .seconds(30), otherHosts: .staleAfter(.seconds(300)), malformedRecords: .takeOver)

    /// Only what is certain: a dead process of this host is replaced at once, everything else needs a person.
    public static let ownerLease = LockRules(
        deadProcessAge: .zero, otherHosts: .neverStale, malformedRecords: .refuse)
}
