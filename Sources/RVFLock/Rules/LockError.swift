public import SystemPackage

/// Everything that RVFLock throws.
public enum LockError: Error, Equatable, Sendable {
    /// Somebody has the lock; the wait, if any, is over.
    case held(LockObstacle)
    /// The wait was cancelled.
    case cancelled(FilePath)
    /// The lock is no longer this holder's: stop writing. Final.
    case lost(LossReason, FilePath)
    /// Ownership has been handed over to another process.
    case handedOver(FilePath)
    /// A hand-over or its adoption came to nothing; the text says why.
    case handOverFailed(FilePath, String)
    /// Something other than a regular file has a name that the lock needs.
    case notAFile(FilePath, NotAFile)
    /// The path does not name a file in a directory.
    case invalidPath(FilePath)
    /// Another process created the protected file first.
    case protectedFileExists(FilePath)
    /// The protected file cannot be replaced, since it has other hard links which would keep the old content.
    case hardLinked(FilePath)
    /// Break: there is no lock file.
    case notLocked(FilePath)
    /// Break: the record is not the one that was named.
    case otherWriter(FilePath, LockHolder?)
    /// Break: the holder is provably alive.
    case holderAlive(LockObstacle)
    /// A system call failed for a reason that the lock has no answer to.
    case system(Operation, FilePath, Errno)

    /// What stands where a file belongs.
    public enum NotAFile: Equatable, Sendable {
        case directory, symbolicLink, fifo, socket, device
    }

    /// What was attempted when a system call failed.
    public enum Operation: Equatable, Sendable {
        case openDirectory, openProtectedFile, createLock, openLock, readLock, writeLock, lockKernel, takeOver
        case removeLock, renew, validate, syncLock, createProtectedFile, replaceProtectedFile, handOver, listDirectory
    }
}

extension LockError {
    /// Whether the system ran out of something.
    var isShortage: Bool {
        guard case .system(_, _, let error) = self else { return false }
        switch error {
        case .noSpace, .diskQuotaExceeded, .tooManyOpenFiles, .tooManyOpenFilesInSystem, .noMemory: return true
        default: return false
        }
    }
}

extension LockError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .held(let obstacle): "\(obstacle)"
        case .cancelled(let path): "waiting for the lock of \(path) was cancelled; nothing was left behind"
        case .lost(let reason, let path):
            "the lock of \(path) is lost: \(Self.text(of: reason)); nothing more was written under it, open the file"
                + " anew to go on"
        case .handedOver(let path): "the lock of \(path) has been handed over; this handle can write no more"
        case .handOverFailed(let path, let why): "the lock of \(path) was not handed over: \(why)"
        case .notAFile(let path, let kind):
            "\(path) is \(Self.text(of: kind)), not a regular file; move it away if it does not belong there"
        case .invalidPath(let path): "\(path) does not name a file; give the path of the file to protect"
        case .protectedFileExists(let path): "\(path) came to be meanwhile, made by another program; open it instead"
        case .hardLinked(let path):
            "\(path) has other hard links, which would keep the old content; it cannot be replaced"
        case .notLocked(let path): "\(path) is not locked: there is no \(path).lock"
        case .otherWriter(let path, let holder):
            "\(path).lock is not the record that was named: it is that of "
                + (holder.map { "\($0), writer id \($0.writerID)" } ?? "no readable writer")
                + "; look at it again before breaking it"
        case .holderAlive(let obstacle): "refused to break a live lock: \(obstacle)"
        case .system(let operation, let path, let error): Self.text(of: operation, path, error)
        }
    }

    private static func text(of reason: LossReason) -> String {
        func by(_ holder: LockHolder?) -> String { holder.map { " by \($0)" } ?? "" }
        return switch reason {
        case .missing: "somebody removed the lock file"
        case .replaced(let holder): "another file was put in the lock file's place" + by(holder)
        case .overwritten(let holder): "another record was written into the lock file" + by(holder)
        case .takenWhileFrozen(let holder):
            "this process was stopped for more than 20 s, and the lock was taken meanwhile" + by(holder)
        case .renewalFailed: "the record could not be renewed for more than 20 s"
        case .protectedFileReplaced: "another file has the protected file's name, or it is gone"
        case .forked: "this is a forked process; only the one that acquired the lock holds it"
        }
    }

    private static func text(of kind: NotAFile) -> String {
        switch kind {
        case .directory: "a directory"
        case .symbolicLink: "a symbolic link"
        case .fifo: "a FIFO"
        case .socket: "a socket"
        case .device: "a device"
        }
    }

    private static func text(of operation: Operation, _ path: FilePath, _ error: Errno) -> String {
        let attempted =
            switch operation {
            case .openDirectory: "opening the directory of \(path)"
            case .openProtectedFile: "opening \(path) for writing"
            case .createLock: "creating the lock file \(path).lock"
            case .openLock: "opening the lock file \(path).lock"
            case .readLock: "reading the lock file \(path).lock"
            case .writeLock: "writing the lock file \(path).lock"
            case .lockKernel: "taking the kernel lock of \(path)"
            case .takeOver: "taking over the stale lock file \(path).lock"
            case .removeLock: "removing the lock file \(path).lock"
            case .renew: "renewing the lock file \(path).lock"
            case .validate: "looking whether the lock of \(path) is still ours"
            case .syncLock: "syncing the lock file \(path).lock"
            case .createProtectedFile: "creating \(path)"
            case .replaceProtectedFile: "replacing \(path)"
            case .handOver: "handing over the lock of \(path)"
            case .listDirectory: "listing the directory of \(path)"
            }
        return "\(attempted) failed: \(error)\(advice(on: error))"
    }

    private static func advice(on error: Errno) -> String {
        switch error {
        case .permissionDenied, .notPermitted: "; writing needs permission for the file and for its directory"
        case .readOnlyFileSystem: "; the file system is mounted read-only"
        case .noSpace: "; free some space or inodes, nothing was changed"
        case .fileNameTooLong: "; the name of the lock file, `.lock` longer, has to fit too: use a shorter name"
        case .tooManyOpenFiles, .tooManyOpenFilesInSystem: "; raise the limit of open files (ulimit -n) or close some"
        case .noSuchFileOrDirectory: "; is the path right?"
        default: ""
        }
    }
}
