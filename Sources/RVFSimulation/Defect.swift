/// What a simulated system does wrong on purpose, so that the code above it behaves as if a step of the protocol had
/// been left out. Each has to be found: a proof that cannot fail proves nothing.
package enum Defect: String, CaseIterable, Hashable, Sendable {
    /// The kernel lock on the lock file is not taken.
    case noGuardOnLockFile
    /// The kernel lock on the protected file is not taken.
    case noGuardOnProtectedFile
    /// A kernel lock on the lock file that somebody else has is taken for free.
    case ignoresBusyGuard
    /// Nobody waits after a take-over.
    case noSettle
    /// The lock file's name is taken to lead to the file that was opened, without a second look.
    case noLockFileRecheck
    /// The protected file's name is taken to lead to the file that was opened.
    case noProtectedFileRecheck
    /// A new lock file replaces what has the name.
    case publishesOverOthers
    /// A new lock file gets its name before it is locked.
    case publishesBeforeGuard
    /// A new lock file gets its name before the record stands in it.
    case publishesBeforeRecord
    /// A stale lock file is removed and made anew, where it should be written in place.
    case unlinksToTakeOver
    /// A record is renewed by renaming a new file over the old one.
    case renewsByRename
    /// What was put aside at a release is removed without a look at what it is.
    case removesWithoutLook
    /// At a release the lock file is removed where it stands.
    case removesInPlace
    /// Validating does not look at the files.
    case validatesFromMemory
    /// Live processes are taken for dead.
    case takesLiveForDead
    /// Ages are overestimated by 400 s.
    case clockIsAhead
    /// Records do not say that a kernel lock is kept.
    case omitsGuardByte
    /// Whoever hands over takes a successor that has not answered yet for one that has ended.
    case resumesOnTimeout
    /// A descriptor that others share is unlocked before it is closed.
    case unlocksBeforeClosing
    /// What is written to another machine's files is not synced.
    case noSyncToServer
    /// After a take-over on another machine's file system only the short time is waited.
    case shortSettleOnServer
    /// A file that is opened on another machine's file system shows what was known of it.
    case noLookAtOpening
    /// On another machine's file system names lead where they were known to lead.
    case noLookAtDirectory
    /// What came out of an exchange is removed without a look at what it is.
    case exchangesWithoutLook
    /// Private files stay behind.
    case leavesPrivateFiles
}
