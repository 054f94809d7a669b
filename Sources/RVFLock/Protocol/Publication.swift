import RVFHost
import SystemPackage

/// Giving a complete and guarded lock file its name, without ever replacing what has it.
///
/// From the first instant in which anybody can see the file it holds its whole record and its guard, on every rung
/// but the last. The rungs, best first: an unnamed file that is linked (a crash leaves nothing behind); a private
/// file that is renamed without replacing; the same, linked; and where a file system knows none of these, an
/// exclusive create of the name itself, which shows an empty file for a moment, as naive peers do.
struct Publication<H: Host> {
    let site: LockSite<H>
    let record: RecordBytes
    let permissions: FilePermissions
    /// Whether the mode was copied from the protected file and is to be set against the umask.
    let permissionsAreExact: Bool
    let takesGuard: Bool
    let syncs: Bool

    enum Outcome {
        /// `wasExposed`: a naive peer may have seen the file empty, and be about to remove it for that.
        case published(FileDescriptor, FileIdentity, wasExposed: Bool)
        case nameTaken
    }

    private enum Rung {
        case done(Outcome)
        case unsupported
    }

    func publish() throws(LockError) -> Outcome {
        if case .done(let outcome) = try linkUnnamedFile() { return outcome }
        if case .done(let outcome) = try nameAPrivateFile() { return outcome }
        return try createExclusively()
    }

    private var host: H { site.host }

    /// What a file system or an old kernel says to a call that it does not know.
    private static func isUnsupported(_ error: Errno) -> Bool {
        switch error {
        case .notSupported, .notSupportedOnSocket, .invalidArgument, .noFunction, .notPermitted, .isDirectory,
            .noSuchFileOrDirectory, .improperLink, .tooManyLinks:
            true
        default: false
        }
    }

    private func linkUnnamedFile() throws(LockError) -> Rung {
        let file: FileDescriptor
        do throws(Errno) {
            file = try host.openUnnamed(in: site.directory, permissions: permissions)
        } catch {
            if Self.isUnsupported(error) { return .unsupported }
            throw .system(.createLock, site.path, error)
        }
        let identity = try complete(file)
        do throws(Errno) {
            try host.linkUnnamed(file, as: site.lockName, in: site.directory)
            return .done(.published(file, identity, wasExposed: false))
        } catch {
            host.close(file)
            if error == .fileExists { return .done(.nameTaken) }
            if Self.isUnsupported(error) { return .unsupported }
            throw .system(.createLock, site.path, error)
        }
    }

    private func nameAPrivateFile() throws(LockError) -> Rung {
        let name = site.makePrivateName()
        let file = try site.attempting(.createLock) { () throws(Errno) in
            try host.open(
                name, in: site.directory, .readWrite, options: [.create, .exclusiveCreate, .noFollow],
                permissions: permissions)
        }
        let identity: FileIdentity
        do throws(LockError) {
            identity = try complete(file)
        } catch {
            discard(nil, name)
            throw error
        }
        do throws(Errno) {
            try host.renameExclusively(name, to: site.lockName, in: site.directory)
            return .done(.published(file, identity, wasExposed: false))
        } catch {
            if error == .fileExists {
                discard(file, name)
                return .done(.nameTaken)
            }
            if !Self.isUnsupported(error) {
                discard(file, name)
                throw .system(.createLock, site.path, error)
            }
        }
        return try link(name, file, identity)
    }

    private func link(
        _ name: FilePath, _ file: FileDescriptor, _ identity: FileIdentity
    ) throws(LockError) -> Rung {
        do throws(Errno) {
            try host.link(name, as: site.lockName, in: site.directory)
        } catch {
            // A server's answer can be lost: the link may have been made all the same.
            let isOurs = (try? site.lockStatus())??.identity == identity
            if !isOurs {
                discard(file, name)
                if error == .fileExists { return .done(.nameTaken) }
                if Self.isUnsupported(error) { return .unsupported }
                throw .system(.createLock, site.path, error)
            }
        }
        discard(nil, name)
        return .done(.published(file, identity, wasExposed: false))
    }

    private func createExclusively() throws(LockError) -> Outcome {
        let file: FileDescriptor
        do throws(Errno) {
            file = try host.open(
                site.lockName, in: site.directory, .readWrite, options: [.create, .exclusiveCreate, .noFollow],
                permissions: permissions)
        } catch {
            if error == .fileExists { return .nameTaken }
            throw .system(.createLock, site.path, error)
        }
        do throws(LockError) {
            return .published(file, try fill(file), wasExposed: true)
        } catch {
            // Whoever has its guard may have found the empty file old, and have made it his own: then it is his.
            if case .system(.lockKernel, _, _) = error {} else { takeAway(file) }
            host.close(file)
            throw error
        }
    }

    /// Removes a lock file that was created in sight of all and could not be filled, its guard still being held.
    private func takeAway(_ file: FileDescriptor) {
        // Without its identity it could not be told from somebody else's: then it stays.
        guard let identity = try? host.status(of: file).identity else { return }
        let created = LockFile(site: site, descriptor: file)
        _ = try? LockRemoval.remove(at: site, aside: site.makePrivateName()) { (status) throws(LockError) in
            guard status.identity == identity else { return false }
            // Where guards are not taken another may have taken it over even so.
            guard let there = try created.recordBytes() else { return true }
            return there.writerID == record.writerID
        }
    }

    /// Fills and guards a file; closes it if that fails.
    private func complete(_ file: FileDescriptor) throws(LockError) -> FileIdentity {
        do throws(LockError) {
            return try fill(file)
        } catch {
            host.close(file)
            throw error
        }
    }

    private func fill(_ file: FileDescriptor) throws(LockError) -> FileIdentity {
        let status = try site.attempting(.createLock) { () throws(Errno) in try host.status(of: file) }
        if permissionsAreExact && status.permissions != UInt32(permissions.rawValue) {
            // Some file systems (FAT, many mounts of servers) give all files one mode and refuse another.
            try? host.setPermissions(file, permissions)
        }
        if takesGuard { try takeGuard(of: file) }
        try LockFile(site: site, descriptor: file).write(record, .writeLock)
        if syncs {
            try site.attempting(.syncLock) { () throws(Errno) in try host.sync(file) }
        }
        return status.identity
    }

    /// Free at once, but for a file that was created in sight of all, which a judge may be holding for a moment.
    private func takeGuard(of file: FileDescriptor) throws(LockError) {
        for _ in 0..<50 {
            if try site.attempting(.lockKernel, { () throws(Errno) in try host.tryLock(file) }) { return }
            host.sleep(nanoseconds: 1_000_000)
        }
        throw .system(.lockKernel, site.path, .wouldBlock)
    }

    private func discard(_ file: FileDescriptor?, _ name: FilePath) {
        // Best effort: what cannot be removed now is swept by a later holder.
        try? host.unlink(name, in: site.directory)
        if let file { host.close(file) }
    }
}
