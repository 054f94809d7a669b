import RVFHost
public import SystemPackage

/// What stands in an acquisition's way.
public struct LockObstacle: Equatable, Sendable {
    public enum Kind: Equatable, Sendable {
        /// This process holds the lock already, or is about to, through another handle.
        case heldInThisProcess
        /// Another process holds it.
        case held(HeldReason)
        /// A program that is not known from the record keeps a kernel lock on the protected file.
        case protectedFileLocked
        /// A lock file was created a moment ago and is still empty.
        case initialising
    }

    public var kind: Kind
    /// The protected file, as the caller named it.
    public var path: FilePath
    /// Who the lock file says it is; nil where that cannot be told.
    public var holder: LockHolder?

    public init(kind: Kind, path: FilePath, holder: LockHolder? = nil) {
        self.kind = kind
        self.path = path
        self.holder = holder
    }
}

extension LockObstacle: CustomStringConvertible {
    public var description: String {
        switch kind {
        case .heldInThisProcess:
            return "\(path) is locked by this very process, through a handle opened earlier"
                + (holder?.sinceNanoseconds.map { " at \(LocalTime.text(of: $0))" } ?? "")
                + "; use that handle, or share it"
        case .protectedFileLocked:
            return "\(path) is locked by a program that left no record of itself: it keeps a kernel lock (flock) on"
                + " the file; `lslocks` or `fuser -v \(path)` may show it"
        case .initialising:
            return "\(path).lock was created a moment ago and is still empty: its writer is taking the lock, or died"
                + " in doing so, which shows after 30 s; try again"
        case .held(let reason):
            let who = holder.map { "\($0)\($0.history(nowNanoseconds: POSIXHost().wallClockNanoseconds()))" }
            return "\(path) is locked by \(who ?? "an unknown writer"); \(text(of: reason))"
        }
    }

    private func text(of reason: HeldReason) -> String {
        switch reason {
        // Only of a process that can be seen is its command known; another may have the files of one that is gone.
        case .kernelLock where holder?.command == nil:
            "somebody holds the kernel lock: that process, or one that has inherited its open files"
        case .kernelLock: "it is alive: it holds the kernel lock"
        case .processAlive: "it is alive: a process with that id runs on this host"
        case .recentlyDead:
            "that process is gone, but its record is not yet 30 s old; it will be taken over then, so try again"
        case .otherHostRecent:
            "that host cannot be asked from here, and the record is too young to be thought stale"
        case .otherHostNeverStale:
            "that host cannot be asked from here, and the rules in force never think its record stale; if it is"
                + " certain that nobody writes there, use `rvf lock break`"
        case .unknownVersion:
            "the record has a version that this software does not know, so it is left alone; use newer software"
        case .malformed(let problems):
            "the lock file holds no good record (\(problems)) and is left alone; if nobody writes, use"
                + " `rvf lock break --malformed`"
        }
    }
}
