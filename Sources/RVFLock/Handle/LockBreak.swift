import RVFHost
public import SystemPackage

/// What breaking a lock did.
public struct LockBreak: Equatable, Sendable {
    /// Which lock is meant. Only the very one that the caller has seen is broken.
    public enum Target: Equatable, Sendable {
        case writer(WriterID)
        /// A lock file without a readable record.
        case malformed
    }

    /// Whose record was removed; nil where none could be read.
    public var holder: LockHolder?
    /// What was wrong with the lock file's content.
    public var problems: LockRecordReading.Problems
    /// Whether the holder was provably alive.
    public var wasForced: Bool

    package init(holder: LockHolder?, problems: LockRecordReading.Problems, wasForced: Bool) {
        self.holder = holder
        self.problems = problems
        self.wasForced = wasForced
    }

    /// Removes the lock file of a file, if it holds what was named.
    ///
    /// A holder that is provably alive is refused unless `isForced` is set. A forced break does not stop the holder:
    /// it learns of it at its next validate, and its kernel lock keeps other users of this library out until then.
    ///
    /// - Throws: ``LockError/notLocked(_:)``, ``LockError/otherWriter(_:_:)``, ``LockError/holderAlive(_:)``, or
    ///   what failed.
    public static func run(
        protecting path: FilePath, target: Target, isForced: Bool = false
    ) throws(LockError) -> LockBreak {
        try LockBreaking(host: POSIXHost(), path: path, target: target, isForced: isForced).run()
    }
}
