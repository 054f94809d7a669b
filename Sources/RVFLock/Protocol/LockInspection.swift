package import RVFHost
package import SystemPackage

extension LockStatus {
    /// Looks at a file's lock on any host. Takes no lock and changes nothing.
    package static func inspect<H: Host>(
        _ path: FilePath, host: H, rules: LockRules, identity: HostIdentity?
    ) -> LockStatus {
        do throws(LockError) {
            return try Inspection(site: try LockSite(host: host, path: path), rules: rules, identity: identity).run()
        } catch {
            return LockStatus(state: .unreadable(error), path: path)
        }
    }
}

/// What an onlooker can tell. It takes no `flock`, since it could be stopped while having it.
private struct Inspection<H: Host> {
    let site: LockSite<H>
    let rules: LockRules
    let identity: HostIdentity?

    func run() throws(LockError) -> LockStatus {
        guard let status = try site.lockStatus() else { return try withoutLockFile() }
        try site.requireRegular(status, isLock: true)
        let file: FileDescriptor
        do throws(Errno) {
            file = try site.host.open(
                site.lockName, in: site.directory, .readOnly, options: [.noFollow, .nonBlocking], permissions: [])
        } catch {
            if error == .noSuchFileOrDirectory { return try withoutLockFile() }
            throw .system(.openLock, site.path, error)
        }
        defer { site.host.close(file) }
        let opened = try site.attempting(.openLock) { () throws(Errno) in try site.host.status(of: file) }
        try site.requireRegular(opened, isLock: true)
        let meaning = try site.attempting(.openLock) { () throws(Errno) in
            try site.host.fileSystemType(of: file).guardMeaning
        }
        let judged = try Judgement.make(
            file: LockFile(site: site, descriptor: file), guardMeaning: meaning, guardIsFree: false,
            dataStatus: try site.dataStatus(), identity: identity, rules: rules, watch: ChangeWatch())
        return conclude(judged, opened.identity)
    }

    /// No lock file, but a kernel lock on the protected file, means that its holder was robbed of the former.
    private func withoutLockFile() throws(LockError) -> LockStatus {
        guard let data = try site.dataStatus(), data.kind == .regular,
            let process = site.host.lockingProcess(of: data.identity)
        else { return LockStatus(state: .free, path: site.path) }
        return LockStatus(state: .held, path: site.path, evidence: .kernelLockOnProtectedFile(process))
    }

    private func conclude(_ judged: Judgement, _ lock: FileIdentity) -> LockStatus {
        var status = LockStatus(state: .held, path: site.path, holder: judged.holder, problems: judged.reading.problems)
        if let process = site.host.lockingProcess(of: lock) {
            status.evidence = .kernelLock(process)
            return status
        }
        switch judged.verdict {
        case .initialising:
            status.state = .initialising
        case .stale(let reason):
            status.state = .stale
            status.evidence = .stale(reason)
        case .held(let reason):
            status.evidence = .presumed(reason)
            presume(judged, reason, &status)
        }
        return status
    }

    /// An onlooker may not try the guard, so what a judge under guard would know stays a presumption: a guarded
    /// record of a dead process of this host is stale however young, and one younger than 30 s is held, whatever
    /// else speaks against it.
    private func presume(_ judged: Judgement, _ reason: HeldReason, _ status: inout LockStatus) {
        guard let record = judged.reading.record else {
            // Rules that leave it to a person keep the next writer out too.
            if rules.malformedRecords == .refuse { return }
            // Malformed content is stale for an onlooker, with what is wrong.
            status.state = .stale
            status.evidence = .stale(.malformed(judged.reading.problems))
            return
        }
        if reason == .recentlyDead && record.isGuarded {
            status.state = .stale
            status.evidence = .stale(.processDead)
        }
    }
}
