import RVFHost
import SystemPackage

/// Step 6: putting our record in the place of a stale one, under the guard of its file.
///
/// In place, so that nothing is unlinked or renamed and nobody's fresh lock can be destroyed. Only a file that we
/// may not write (another user's) is exchanged for a complete one of ours.
struct TakeOver<H: Host> {
    struct Taken {
        /// The file that holds our record now, where it is not the judged one.
        var replacement: (descriptor: FileDescriptor, identity: FileIdentity)?
        var settleNanoseconds: Int64
    }

    let attempt: Attempt<H>
    let judged: Judgement
    let isWritable: Bool

    private var site: LockSite<H> { attempt.site }
    private var host: H { attempt.host }

    /// Nil where the file was not the judged one any more.
    func run(_ record: RecordBytes) throws(LockError) -> Taken? {
        // A lock that cannot be removed again is not taken: its release would leave it to look held.
        try site.attempting(.takeOver) { () throws(Errno) in try host.checkWritable(site.directory) }
        try requireRemovable()
        guard let lock = attempt.lock else { return nil }
        if isWritable {
            try writeInPlace(record, LockFile(site: site, descriptor: lock))
            return Taken(replacement: nil, settleNanoseconds: settleNanoseconds)
        }
        return try exchange(record)
    }

    /// In a sticky directory only a file's owner, the directory's, and root rename or remove it.
    private func requireRemovable() throws(LockError) {
        let directory = try site.attempting(.takeOver) { () throws(Errno) in try host.status(of: site.directory) }
        let stickyBit: UInt32 = 0o1000
        let user = host.userID
        guard directory.permissions & stickyBit != 0, user != 0, user != directory.owner,
            let owner = try site.lockStatus()?.owner, user != owner
        else { return }
        throw .system(.takeOver, site.path, .notPermitted)
    }

    private var fullSettle: Int64 { attempt.fullSettleNanoseconds }

    /// How long a naive peer that has judged the old content stale may still be on its way to unlink the file.
    ///
    /// Peers judge by age, so a good record that was young has looked stale to none of them. But it may itself have
    /// been written over a stale one a moment ago, by one of ours that died while it settled: then the rest of that
    /// time has to pass. A file that has not been written since it was born was published, not taken over.
    ///
    /// To be asked once the record has been written over: a process that is frozen between the judgement and the write
    /// finds a record young that has looked stale to peers meanwhile.
    private var settleNanoseconds: Int64 {
        guard judged.reading.problems.isEmpty, let record = judged.reading.record, record.isGuarded,
            let written = Int64(exactly: record.timestampNanoseconds)
        else { return fullSettle }
        let ages = [judged.nowNanoseconds, host.wallClockNanoseconds()].map { $0.saturatingSubtract(written) }
        guard ages.allSatisfy({ $0 >= 0 && $0 < LockTiming.surelyFreshAge }) else { return fullSettle }
        let modified = judged.modifiedNanoseconds
        if let born = judged.bornNanoseconds, modified >= born, modified - born <= LockTiming.publicationSpan { return 0 }
        // Whole seconds come from a file system that keeps no finer times, and may be up to one too early.
        let isCoarse = modified % 1_000_000_000 == 0
        let latest = modified.saturatingAdd(LockTiming.fileTimeGrain + (isCoarse ? 1_000_000_000 : 0))
        let elapsed = judged.nowNanoseconds.saturatingSubtract(latest)
        return min(fullSettle, max(0, fullSettle.saturatingSubtract(elapsed)))
    }

    /// First the timestamp alone, then the whole record: a reader of the torn rest sees a fresh record. With the
    /// timestamp goes the guard byte before it, where that means something: a death between the two writes leaves a
    /// good record that nobody has to wait for, where a dead peer's made young would look held for minutes.
    private func writeInPlace(_ record: RecordBytes, _ file: LockFile<H>) throws(LockError) {
        let isRecord = judged.reading.record != nil
        let isLonger = judged.reading.fileBytes > Int64(LockRecord.byteCount)
        if isRecord, var old = RecordBytes(judged.bytes) {
            let now = record.timestampNanoseconds
            let keepsChecksum = !judged.reading.problems.contains(.checksum)
            let declaresGuard = attempt.lockMeaning == .coherent
            if declaresGuard { old.guardByte = LockRecord.guardedByte }
            old.timestampNanoseconds = keepsChecksum
                ? RecordTimestamp.reaching(checksum: old.checksum, in: old, nowNanoseconds: now) : now
            if declaresGuard {
                try file.writeGuardAndTimestamp(of: old, .takeOver)
            } else {
                try file.writeTimestamp(of: old, .takeOver)
            }
        } else if isLonger {
            try cut(file)
        }
        try file.write(record, .takeOver)
        if isRecord && isLonger { try cut(file) }
    }

    private func cut(_ file: LockFile<H>) throws(LockError) {
        try site.attempting(.takeOver) { () throws(Errno) in
            try host.truncate(file.descriptor, toBytes: Int64(LockRecord.byteCount))
        }
    }

    /// Swaps a complete and guarded file of ours in, looks at what came out, and swaps back if that is not what was
    /// judged.
    private func exchange(_ record: RecordBytes) throws(LockError) -> Taken? {
        let name = site.makePrivateName()
        let file = try site.attempting(.takeOver) { () throws(Errno) in
            try host.open(
                name, in: site.directory, .readWrite, options: [.create, .exclusiveCreate, .noFollow],
                permissions: attempt.exactPermissions ?? FilePermissions(rawValue: 0o666))
        }
        let identity: FileIdentity
        do throws(LockError) {
            // Against the umask, as for a new lock file; best effort, as there.
            if let exact = attempt.exactPermissions { try? host.setPermissions(file, exact) }
            identity = try prepare(file, record)
            try site.attempting(.takeOver) { () throws(Errno) in
                try host.exchange(name, site.lockName, in: site.directory)
            }
        } catch {
            // Nothing has been exchanged, so what stands at the private name is ours.
            try? host.unlink(name, in: site.directory)
            host.close(file)
            throw error
        }
        do throws(LockError) {
            return try examine(name, file, identity)
        } catch {
            host.close(file)
            throw error
        }
    }

    /// From the exchange on, what stands at the private name is somebody else's until it has been looked at; where
    /// it cannot be looked at, it goes back.
    private func examine(
        _ name: FilePath, _ file: FileDescriptor, _ identity: FileIdentity
    ) throws(LockError) -> Taken? {
        let cameOut: FileStatus?
        do throws(LockError) {
            cameOut = try site.statusIfPresent(of: name, followingLinks: false, .takeOver)
        } catch {
            try? swapBack(name, identity)
            throw error
        }
        if cameOut?.identity == attempt.lockIdentity {
            try? host.unlink(name, in: site.directory)
            return Taken(replacement: (file, identity), settleNanoseconds: fullSettle)
        }
        try swapBack(name, identity)
        host.close(file)
        return nil
    }

    private func prepare(_ file: FileDescriptor, _ record: RecordBytes) throws(LockError) -> FileIdentity {
        if attempt.lockMeaning != .remote {
            let isLocked = try site.attempting(.lockKernel) { () throws(Errno) in try host.tryLock(file) }
            if !isLocked { throw .system(.lockKernel, site.path, .wouldBlock) }
        }
        try LockFile(site: site, descriptor: file).write(record, .takeOver)
        return try site.attempting(.takeOver) { () throws(Errno) in try host.status(of: file).identity }
    }

    private func swapBack(_ name: FilePath, _ identity: FileIdentity) throws(LockError) {
        do throws(Errno) {
            try host.exchange(name, site.lockName, in: site.directory)
        } catch {
            guard error == .noSuchFileOrDirectory else { throw .system(.takeOver, site.path, error) }
            // Somebody has removed ours meanwhile; what came out gets the name that is free.
            return try site.attempting(.takeOver) { () throws(Errno) in
                try host.renameExclusively(name, to: site.lockName, in: site.directory)
            }
        }
        let backAgain = try site.statusIfPresent(of: name, followingLinks: false, .takeOver)
        if backAgain?.identity == identity { try? host.unlink(name, in: site.directory) }
    }
}
