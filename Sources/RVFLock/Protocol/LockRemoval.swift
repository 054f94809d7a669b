import RVFHost
import SystemPackage

/// Taking the lock file away without ever destroying somebody else's.
///
/// Between a look and an unlink another file can come to bear the name. So after a first look, which spares a live
/// lock even the moment of standing aside, the file is renamed to a private name and looked at again there, where
/// nobody puts another in its place; what turns out not to be the one meant goes back.
enum LockRemoval {
    enum Outcome {
        case removed
        /// Nothing had the lock's name.
        case missing
        /// Another file had the name; it has it again.
        case somebodyElses
    }

    /// Removes the lock file if it is the expected one.
    ///
    /// - Parameters:
    ///   - aside: The private name to put the file aside under.
    ///   - isExpected: Told the status of the file at the name, and again when it has been put aside.
    static func remove<H: Host>(
        at site: LockSite<H>, aside: FilePath, isExpected: (FileStatus) throws(LockError) -> Bool
    ) throws(LockError) -> Outcome {
        guard let present = try site.statusIfPresent(of: site.lockName, followingLinks: false, .removeLock) else {
            return .missing
        }
        guard try isExpected(present) else { return .somebodyElses }
        do throws(Errno) {
            try site.host.rename(site.lockName, to: aside, in: site.directory)
        } catch {
            if error == .noSuchFileOrDirectory { return .missing }
            throw .system(.removeLock, site.path, error)
        }
        let isOurs: Bool
        do throws(LockError) {
            guard let status = try site.statusByOpening(aside, .removeLock) else {
                return .missing
            }
            isOurs = try isExpected(status)
        } catch {
            // What cannot be looked at may be anybody's, a live peer's included.
            try? putBack(aside, at: site)
            throw error
        }
        if !isOurs {
            try putBack(aside, at: site)
            return .somebodyElses
        }
        try unlink(aside, at: site)
        return .removed
    }

    /// Gives a file that was put aside its name back. Where somebody has taken the name meanwhile, the file stays
    /// aside: whoever wrote it learns at its next look that it is no longer the holder.
    private static func putBack<H: Host>(_ aside: FilePath, at site: LockSite<H>) throws(LockError) {
        do throws(Errno) {
            try site.host.renameExclusively(aside, to: site.lockName, in: site.directory)
            return
        } catch {
            if error == .fileExists { return }
        }
        do throws(Errno) {
            try site.host.link(aside, as: site.lockName, in: site.directory)
        } catch {
            if error == .fileExists { return }
            throw .system(.removeLock, site.path, error)
        }
        try unlink(aside, at: site)
    }

    private static func unlink<H: Host>(_ aside: FilePath, at site: LockSite<H>) throws(LockError) {
        do throws(Errno) {
            try site.host.unlink(aside, in: site.directory)
        } catch {
            // A server has done so and its answer was lost, or the holder has tidied up a second name of its file.
            if error != .noSuchFileOrDirectory { throw .system(.removeLock, site.path, error) }
        }
    }
}
