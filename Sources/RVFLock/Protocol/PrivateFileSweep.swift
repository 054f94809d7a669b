import RVFHost
import SystemPackage

/// Removes private files of a lock that crashes left behind. Only a holder runs it.
///
/// A file goes only if it is older than 30 s, if nobody has its guard, and if its record is stale by the RVF rules:
/// it may be a peer's lock that a release had put aside for a moment. A second name of the holder's own lock file goes at
/// once: who published the file by a hard link was killed before it removed the first one, and once the file has been
/// taken over it would not look stale for a long time. Best effort, and silent: litter harms nobody.
struct PrivateFileSweep<H: Host> {
    let site: LockSite<H>
    let identity: HostIdentity?
    /// The lock file of the holder that sweeps.
    let lockIdentity: FileIdentity

    func run() {
        let host = site.host
        guard let directory = try? site.openDirectoryForReading() else { return }
        defer { host.close(directory) }
        let prefix = site.privatePrefix
        for name in (try? host.names(in: directory)) ?? [] where name.string.hasPrefix(prefix) {
            remove(FilePath(root: nil, [name]))
        }
    }

    private func remove(_ name: FilePath) {
        let host = site.host
        guard let status = try? host.status(of: name, in: site.directory, followingLinks: false),
            status.kind == .regular
        else { return }
        if status.identity == lockIdentity, status.linkCount > 1 {
            try? host.unlink(name, in: site.directory)
            return
        }
        guard isOld(status),
            let file = open(name)
        else { return }
        defer { host.close(file) }
        guard let meaning = try? host.fileSystemType(of: file).guardMeaning else { return }
        if meaning != .remote, (try? host.tryLock(file)) != true { return }
        let judged = try? Judgement.make(
            file: LockFile(site: site, descriptor: file), guardMeaning: meaning, guardIsFree: meaning != .remote,
            dataStatus: nil, identity: identity, rules: .rvf, watch: ChangeWatch())
        guard let judged, case .stale = judged.verdict else { return }
        try? host.unlink(name, in: site.directory)
    }

    /// For reading at least: what an exchange brought out may be another user's file, which its directory lets us
    /// remove all the same.
    private func open(_ name: FilePath) -> FileDescriptor? {
        for mode in [FileDescriptor.AccessMode.readWrite, .readOnly] {
            if let file = try? site.host.open(
                name, in: site.directory, mode, options: [.noFollow, .nonBlocking], permissions: [])
            {
                return file
            }
        }
        return nil
    }

    private func isOld(_ status: FileStatus) -> Bool {
        site.host.wallClockNanoseconds().saturatingSubtract(status.modifiedNanoseconds) > LockTiming.privateFileAge
    }
}
