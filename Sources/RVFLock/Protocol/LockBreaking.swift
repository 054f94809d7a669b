package import RVFHost
package import SystemPackage

/// Removing somebody's lock by name, for operators.
package struct LockBreaking<H: Host> {
    private let site: LockSite<H>
    private let target: LockBreak.Target
    private let isForced: Bool
    private var host: H { site.host }

    package init(host: H, path: FilePath, target: LockBreak.Target, isForced: Bool) throws(LockError) {
        site = try LockSite(host: host, path: path)
        self.target = target
        self.isForced = isForced
    }

    /// Takes the guards as a judge does, so that no acquisition is under way; checks that the lock is the one that
    /// was named; removes it without touching any other.
    package func run() throws(LockError) -> LockBreak {
        let data = try openData()
        defer { if let data { host.close(data) } }
        guard let status = try site.lockStatus() else { throw .notLocked(site.path) }
        try site.requireRegular(status, isLock: true)
        let lock = try openLock()
        defer { host.close(lock) }
        let identity = try site.attempting(.openLock) { () throws(Errno) in try host.status(of: lock).identity }
        let guards = try takeGuards(lock, data)
        let judged = try Judgement.make(
            file: LockFile(site: site, descriptor: lock), guardMeaning: guards.meaning,
            guardIsFree: guards.areOurs, dataStatus: nil, identity: nil, rules: .rvf, watch: ChangeWatch())
        try check(judged, hasGuards: guards.areOurs)
        try remove(identity, lock, judged)
        return LockBreak(holder: judged.holder, problems: judged.reading.problems, wasForced: isLive(judged, guards))
    }

    private typealias Guards = (meaning: GuardMeaning, areOurs: Bool)

    private func openData() throws(LockError) -> FileDescriptor? {
        guard let status = try site.dataStatus(), status.kind == .regular else { return nil }
        // Without write permission the guard of the lock file alone must do.
        return try? host.open(
            site.dataName, in: site.directory, .readWrite, options: [.nonBlocking], permissions: [])
    }

    private func openLock() throws(LockError) -> FileDescriptor {
        let options: FileDescriptor.OpenOptions = [.noFollow, .nonBlocking]
        if let file = try? host.open(
            site.lockName, in: site.directory, .readWrite, options: options, permissions: [])
        {
            return file
        }
        return try site.attempting(.openLock) { () throws(Errno) in
            try host.open(site.lockName, in: site.directory, .readOnly, options: options, permissions: [])
        }
    }

    private func takeGuards(_ lock: FileDescriptor, _ data: FileDescriptor?) throws(LockError) -> Guards {
        let meaning = try site.attempting(.openLock) { () throws(Errno) in
            try host.fileSystemType(of: lock).guardMeaning
        }
        guard meaning != .remote else { return (meaning, false) }
        let end = host.bootClockNanoseconds() + LockTiming.busyRetry
        // A killed holder takes a moment to go, and another judge may be looking.
        while true {
            let isDataFree = try data.map { (file) throws(LockError) in try tryLock(file) } ?? true
            let isLockFree = try tryLock(lock)
            if isDataFree && isLockFree { return (meaning, true) }
            if host.bootClockNanoseconds() >= end { return (meaning, false) }
            host.sleep(nanoseconds: 5_000_000)
        }
    }

    private func tryLock(_ file: FileDescriptor) throws(LockError) -> Bool {
        try site.attempting(.lockKernel) { () throws(Errno) in try host.tryLock(file) }
    }

    private func check(_ judged: Judgement, hasGuards: Bool) throws(LockError) {
        switch target {
        case .writer(let wanted):
            guard judged.reading.record?.writerID == wanted else { throw .otherWriter(site.path, judged.holder) }
        case .malformed:
            guard judged.reading.record == nil else { throw .otherWriter(site.path, judged.holder) }
        }
        guard !isForced, let reason = liveReason(judged, hasGuards: hasGuards) else { return }
        throw .holderAlive(LockObstacle(kind: .held(reason), path: site.path, holder: judged.holder))
    }

    /// Why the holder is certainly alive; nil where that is only presumed, or not so.
    private func liveReason(_ judged: Judgement, hasGuards: Bool) -> HeldReason? {
        if !hasGuards && judgedMeaningTakesGuards { return .kernelLock }
        return judged.verdict == .held(.processAlive) ? .processAlive : nil
    }

    private var judgedMeaningTakesGuards: Bool {
        (try? host.fileSystemType(of: site.directory).guardMeaning) != .remote
    }

    private func isLive(_ judged: Judgement, _ guards: Guards) -> Bool {
        liveReason(judged, hasGuards: guards.areOurs) != nil
    }

    private func remove(
        _ identity: FileIdentity, _ lock: FileDescriptor, _ judged: Judgement
    ) throws(LockError) {
        let file = LockFile(site: site, descriptor: lock)
        let outcome = try LockRemoval.remove(at: site, aside: site.makePrivateName()) { (status) throws(LockError) in
            guard status.identity == identity else { return false }
            // The same bytes, or at least the same writer's, who may have renewed meanwhile.
            let bytes = try file.startBytes()
            if bytes == judged.bytes { return true }
            return judged.holder != nil && LockRecordReading(bytes).record?.writerID == judged.holder?.writerID
        }
        switch outcome {
        case .removed: return
        case .missing: throw .notLocked(site.path)
        case .somebodyElses: throw .otherWriter(site.path, LockLook.holder(at: site))
        }
    }
}
