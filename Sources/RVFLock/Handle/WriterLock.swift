import Dispatch
package import RVFHost
public import SystemPackage

/// The writer lock of one file, held.
///
/// One process at a time may write to `data.rvf`; the lock is the file `data.rvf.lock` beside it, which every
/// implementation of the RVF format understands, and on local file systems a kernel lock on both files, which makes
/// the exclusion certain among all users of this library: under any interleaving, crash, freeze or clock step, and
/// even if somebody deletes the lock file.
///
/// ```swift
/// let lock = try WriterLock.acquire(protecting: "data.rvf")
/// try lock.validate()      // before each commit
/// // … write …
/// try lock.release()
/// ```
///
/// A value of this type cannot be copied, so there is no second handle that could outlive a release. Dropping it
/// releases the lock, silently; ``release()`` says what went wrong. All methods may be called from any thread.
///
/// - Important: Call ``validate()`` before every commit. What the lock cannot prevent (an operator who replaces the
///   protected file, a peer that ignores kernel locks and takes this process for dead after minutes of standstill)
///   it reports there, before the commit.
/// - Important: Do not use POSIX record locks (`fcntl` with `F_SETLK`) on the protected file in a process that uses
///   this library: closing any descriptor of a file drops all of a process's POSIX locks on it.
public struct WriterLock: ~Copyable, Sendable {
    package let held: HeldLock<POSIXHost>
    /// False once ownership has left this value, so that `deinit` does not release what is somebody else's.
    private var isOwner = true

    init(_ held: HeldLock<POSIXHost>) {
        self.held = held
        if held.options.renewal == .automatic { RenewalTimer.shared.add(held) }
    }

    deinit {
        guard isOwner else { return }
        RenewalTimer.shared.remove(held)
        try? held.release()
    }

    /// Takes the writer lock, and waits for it as the options say. Blocks the thread.
    ///
    /// The protected file need not exist yet: see ``draftProtectedFile(permissions:)`` for how to create it.
    ///
    /// - Throws: ``LockError/held(_:)`` with who holds it and how that is known; ``LockError/cancelled(_:)``;
    ///   otherwise what makes locking impossible here. Nothing is left behind in any case.
    public static func acquire(
        protecting path: FilePath, options: LockOptions = LockOptions()
    ) throws(LockError) -> WriterLock {
        WriterLock(
            try HeldLock.acquire(host: POSIXHost(), registry: .shared, protecting: path, options: options))
    }

    /// Takes the writer lock without blocking the caller's thread; cancelling the task ends the wait.
    ///
    /// - Throws: As the blocking form.
    public static func acquire(
        protecting path: FilePath, options: LockOptions = LockOptions()
    ) async throws(LockError) -> WriterLock {
        var options = options
        let cancellation = options.cancellation ?? LockCancellation()
        options.cancellation = cancellation
        let settled = options
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                // A queue of its own has a thread of its own while it waits: many waiters do not starve the pool.
                DispatchQueue(label: "rvf.lock.acquire").async {
                    do throws(LockError) {
                        let held = try HeldLock.acquire(
                            host: POSIXHost(), registry: .shared, protecting: path, options: settled)
                        continuation.resume(returning: Result<_, LockError>.success(held))
                    } catch {
                        continuation.resume(returning: .failure(error))
                    }
                }
            }
        } onCancel: {
            cancellation.cancel()
        }
        return WriterLock(try result.get())
    }

    /// What tells this acquisition from every other; stands in the lock file.
    public var writerID: WriterID { held.writerID }

    /// The protected file, as the caller named it.
    public var path: FilePath { held.site.path }

    /// Whether the lock has not been lost so far as is known, without asking the file system.
    public var isHeld: Bool { held.isHeld }

    /// Throws unless the lock is still ours. Takes less than a microsecond on a local file system: call it before
    /// every commit, and again before whatever makes the commit visible.
    ///
    /// - Throws: ``LockError/lost(_:_:)`` with the reason, from then on every time; another error if it cannot be
    ///   told, which is not final.
    public func validate() throws(LockError) { try held.validate() }

    /// Makes the record young again: one 8-byte write, after ``validate()``'s looks. With automatic renewal the
    /// library does this itself.
    public func renew() throws(LockError) { try held.renew() }

    /// Gives the lock up.
    ///
    /// - Throws: If it was lost, or if the lock file could not be removed; it is given up all the same, and a lock
    ///   file that stays behind is taken over by the next writer.
    public consuming func release() throws(LockError) {
        let held = held
        isOwner = false
        RenewalTimer.shared.remove(held)
        try held.release()
    }

    /// Lets the lock's core out of this value, which ends without releasing.
    consuming func relinquish() -> HeldLock<POSIXHost> {
        let held = held
        isOwner = false
        return held
    }
}
