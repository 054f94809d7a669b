import RVFHost
public import SystemPackage

/// How a file's lock looks from outside: what reader processes and tools ask.
///
/// Looking needs only read permission, takes no lock and changes nothing, so it can be done as often as one likes.
/// It is a look at an instant: whoever wants to write acquires.
public struct LockStatus: Equatable, Sendable {
    public enum State: Equatable, Sendable {
        /// Nobody has the lock.
        case free
        case held
        /// A record stands there that the next writer will take over.
        case stale
        /// An empty lock file, younger than 30 s: somebody is about to write it, or died in doing so.
        case initialising
        /// It cannot be told; the error says why.
        case unreadable(LockError)
    }

    /// How the state is known.
    public enum Evidence: Equatable, Sendable {
        /// Proven: the kernel lists a lock on the lock file, taken by this process (which may have handed it over).
        case kernelLock(Int32)
        /// Proven: the lock file is gone, but the kernel lists a lock on the protected file, taken by this process.
        case kernelLockOnProtectedFile(Int32)
        /// Presumed held, from the record.
        case presumed(HeldReason)
        /// Presumed stale, from the record; whoever acquires makes sure.
        case stale(StaleReason)
    }

    public var state: State
    /// The protected file, as the caller named it.
    public var path: FilePath
    /// Who the lock file says it is; nil where there is none, or nothing readable in it.
    public var holder: LockHolder?
    public var evidence: Evidence?
    /// What is wrong with the lock file's content.
    public var problems: LockRecordReading.Problems

    package init(
        state: State, path: FilePath, holder: LockHolder? = nil, evidence: Evidence? = nil,
        problems: LockRecordReading.Problems = []
    ) {
        self.state = state
        self.path = path
        self.holder = holder
        self.evidence = evidence
        self.problems = problems
    }

    /// Looks at the lock of a file. Never fails: what could not be looked at is ``State/unreadable(_:)``.
    ///
    /// - Parameters:
    ///   - path: The protected file; the lock is `<path>.lock`.
    ///   - rules: By which a record is thought stale.
    ///   - identity: The names of this host; found as peers find theirs if nil.
    public init(of path: FilePath, rules: LockRules = .rvf, identity: HostIdentity? = nil) {
        self = Self.inspect(path, host: POSIXHost(), rules: rules, identity: identity)
    }

    /// Whether the state is certain rather than presumed.
    public var isProven: Bool {
        switch evidence {
        case .kernelLock, .kernelLockOnProtectedFile: true
        case .presumed, .stale: false
        case nil: state == .free
        }
    }
}

extension LockStatus: CustomStringConvertible {
    /// A sentence for a person, such as `data.rvf is locked by process 4711 (rvf ingest) on build-7, since 14:03:22
    /// (12 min ago), renewed 4 s ago; it is alive: it holds the kernel lock.`
    public var description: String {
        switch state {
        case .free: "\(path) is not locked."
        case .initialising: "\(LockObstacle(kind: .initialising, path: path))."
        case .unreadable(let error): "The lock of \(path) cannot be looked at: \(error)."
        case .held: "\(heldText)."
        case .stale: "\(staleText)."
        }
    }

    private var heldText: String {
        switch evidence {
        case .presumed(let reason): return "\(LockObstacle(kind: .held(reason), path: path, holder: holder))"
        case .kernelLockOnProtectedFile(let process):
            return "\(path) is locked by process \(process), whose lock file somebody removed; it is alive: it holds"
                + " the kernel lock on the file itself"
        case .kernelLock(let process):
            let text = "\(LockObstacle(kind: .held(.kernelLock), path: path, holder: holder))"
            let isRecorded = holder.map { Int64($0.processID) == Int64(process) } ?? false
            return isRecorded ? text : text + " (taken by process \(process))"
        case .stale, nil: return "\(LockObstacle(kind: .held(.kernelLock), path: path, holder: holder))"
        }
    }

    private var staleText: String {
        let now = POSIXHost().wallClockNanoseconds()
        let whose = holder.map { "of \($0)\($0.history(nowNanoseconds: now))" } ?? "that nobody can be read from"
        return "\(path) has a stale lock \(whose): \(reasonText); the next writer takes it over"
    }

    private var reasonText: String {
        guard case .stale(let reason) = evidence else { return "its holder is gone" }
        return reason.text
    }
}

extension StaleReason {
    /// Why, in a clause for people.
    package var text: String {
        switch self {
        case .guardReleased: "the kernel lock that its holder had is free"
        case .processDead: "no process with that id runs on this host"
        case .otherHostOld: "another host's record that has not been renewed for too long"
        case .emptyOld: "the lock file is empty, and has been for more than 30 s"
        case .malformed(let problems): "the lock file holds no lock record (\(problems))"
        }
    }
}
