import RVFHost
import SystemPackage

/// One pass through steps 1 to 7 of the protocol: takes the lock, or says what stands in the way.
///
/// Used by one thread. Whatever it has taken when it does not end in a held lock is given back by ``abandon()``.
final class Attempt<H: Host> {
    enum Outcome {
        case acquired(HeldLock<H>)
        /// This process had the lock last, and others wait for it: a courtesy, see ``WaiterMark``.
        case givesWay
        /// A kernel lock is in the way; it may be gone in a moment.
        case guardBusy(Guarded)
        case blocked(LockObstacle.Kind, LockHolder?)
    }

    enum Guarded { case protectedFile, lockFile }

    /// How a round ends that does not end the attempt.
    private enum Round {
        case done(Outcome)
        /// What was looked at has changed meanwhile.
        case again
    }

    let site: LockSite<H>
    let options: LockOptions
    let registry: LockRegistry
    let watch: ChangeWatch
    /// Whether to let waiters go first if this process has only just released the lock.
    let isCourteous: Bool
    var host: H { site.host }

    private var ticket: UInt64?
    private var data: FileDescriptor?
    private var dataStatus: FileStatus?
    private var dataMeaning: GuardMeaning = .remote
    private(set) var lock: FileDescriptor?
    private(set) var lockIdentity: FileIdentity?
    private(set) var lockMeaning: GuardMeaning = .remote
    private let writerID: WriterID
    /// Whether our record stands in the lock file, so that giving up means to take it away.
    private var isPublished = false

    init(
        site: LockSite<H>, options: LockOptions, registry: LockRegistry, watch: ChangeWatch, isCourteous: Bool
    ) {
        self.isCourteous = isCourteous
        self.site = site
        self.options = options
        self.registry = registry
        self.watch = watch
        var bytes: (UInt64, UInt64) = (0, 0)
        unsafe withUnsafeMutableBytes(of: &bytes) { unsafe site.host.fillWithRandomBytes($0) }
        writerID = WriterID(low: bytes.0, high: bytes.1)
    }

    var keys: LockRegistry.Keys {
        LockRegistry.Keys(directory: site.directoryIdentity, lockName: site.lockName)
    }

    /// A file that keeps changing under the attempt: as good as busy, since somebody is at work on it.
    private static var mostRounds: Int { 64 }

    func run() throws(LockError) -> Outcome {
        switch registry.reserve(keys, processID: host.processID, nowNanoseconds: host.wallClockNanoseconds()) {
        case .taken(let entry): return heldHere(entry)
        case .made(let ticket): self.ticket = ticket
        }
        for _ in 0..<Self.mostRounds {
            if case .done(let outcome) = try round() { return outcome }
            try letGo()
        }
        return .guardBusy(.lockFile)
    }

    /// Gives back everything, whatever has been reached.
    func abandon() {
        try? withdraw()
        if let ticket { registry.remove(ticket) }
        ticket = nil
        closeFiles()
    }

    /// Gives the files back, but stays registered.
    private func letGo() throws(LockError) {
        defer { closeFiles() }
        try withdraw()
    }

    /// Takes our own record away, where it was published already.
    private func withdraw() throws(LockError) {
        guard isPublished, let lock, let lockIdentity else { return }
        isPublished = false
        let file = LockFile(site: site, descriptor: lock)
        let writerID = writerID
        _ = try LockRemoval.remove(at: site, aside: site.privateName(writerID.low)) { (status) throws(LockError) in
            guard status.identity == lockIdentity else { return false }
            return try file.recordBytes()?.writerID == writerID
        }
    }

    private func closeFiles() {
        // Forgotten before they are closed: their inode numbers may be somebody's next files at once.
        if let ticket { registry.forgetFiles(of: ticket) }
        if let lock { host.close(lock) }
        if let data { host.close(data) }
        lock = nil
        lockIdentity = nil
        data = nil
        dataStatus = nil
    }

    // MARK: Steps

    private func round() throws(LockError) -> Round {
        if let blocked = try guardData() { return blocked }
        // With the protected file's guard in hand no other user of this library is here, so the name is most likely
        // free; without it a look spares the making of a file that cannot be published.
        var failure: LockError?
        if dataStatus != nil {
            do throws(LockError) {
                if let published = try publish() { return published }
            } catch {
                // A shortage that keeps a new file from being made need not hinder the taking over of one that is
                // there; a lack of permission would hinder its removal later.
                guard lock == nil, error.isShortage else { throw error }
                failure = error
            }
        }
        guard let present = try site.lockStatus() else {
            if let failure { throw failure }
            return try publish() ?? .again
        }
        try site.requireRegular(present, isLock: true)
        let isWritable: Bool
        switch try openLock() {
        case .gone: return .again
        case .opened(let writable): isWritable = writable
        }
        if let blocked = try guardLock() { return blocked }
        let judged = try judge()
        switch judged.verdict {
        case .held(let reason): return .done(.blocked(.held(reason), judged.holder))
        case .initialising: return .done(.blocked(.initialising, nil))
        case .stale(let reason):
            let takeOver = TakeOver(attempt: self, judged: judged, isWritable: isWritable)
            guard let taken = try takeOver.run(newRecord(isGuarded: lockMeaning == .coherent)) else { return .again }
            if let file = taken.replacement {
                if let lock { host.close(lock) }
                lock = file.descriptor
                lockIdentity = file.identity
            }
            isPublished = true
            guard try settleAndConfirm(taken.settleNanoseconds) else { return .again }
            return try finish(.takenOver(from: judged.holder, because: reason))
        }
    }

    /// Step 2: the guard of the protected file, if there is one; then whether its path still names it, since a
    /// compaction may have put another in its place.
    private func guardData() throws(LockError) -> Round? {
        let file: FileDescriptor
        do throws(Errno) {
            file = try host.open(
                site.dataName, in: site.directory, .readWrite, options: [.nonBlocking], permissions: [])
        } catch {
            if error == .noSuchFileOrDirectory { return try requireAbsent() }
            if error == .isDirectory { throw .notAFile(site.path, .directory) }
            if error == .noSuchAddressOrDevice { throw .notAFile(site.path, .socket) }
            throw .system(.openProtectedFile, site.path, error)
        }
        data = file
        let status = try site.attempting(.openProtectedFile) { () throws(Errno) in try host.status(of: file) }
        try site.requireRegular(status, isLock: false)
        dataStatus = status
        if let ticket, let other = registry.extend(ticket, data: status.identity) { return .done(heldHere(other)) }
        dataMeaning = try site.attempting(.openProtectedFile) { () throws(Errno) in
            try host.fileSystemType(of: file).guardMeaning
        }
        // Kept open without a guard too: while it is open its inode is given to no other file, so that one which is
        // made in its place (`rm`, then a restore) is seen to be another.
        guard dataMeaning != .remote else { return nil }
        if isCourteous && hasJustReleased && host.waiterIsMarked(on: file) { return .done(.givesWay) }
        guard try site.attempting(.lockKernel, { () throws(Errno) in try host.tryLock(file) }) else {
            return .done(.guardBusy(.protectedFile))
        }
        return try site.dataStatus()?.identity == status.identity ? nil : .again
    }

    /// Whoever has just released the lock lets those who wait go first, or a process that takes it again at once
    /// would keep them out for ever: they need some microseconds to wake up.
    private var hasJustReleased: Bool {
        let recentNanoseconds: Int64 = 10_000_000
        guard let released = registry.lastRelease(of: keys) else { return false }
        return host.bootClockNanoseconds() - released < recentNanoseconds
    }

    /// A symbolic link that leads nowhere is no absent file: one created through it would lie elsewhere.
    private func requireAbsent() throws(LockError) -> Round? {
        let status = try site.statusIfPresent(of: site.dataName, followingLinks: false, .openProtectedFile)
        guard let status else { return nil }
        if status.kind == .symbolicLink { throw .notAFile(site.path, .symbolicLink) }
        return .again
    }

    /// Step 3; nil where something has the name.
    private func publish() throws(LockError) -> Round? {
        // Usually the same file system, and then one system call less.
        let isSameDevice = dataStatus?.identity.device == site.directoryIdentity.device
        lockMeaning = isSameDevice ? dataMeaning : try directoryMeaning()
        let exact = exactPermissions
        let publication = Publication(
            site: site, record: newRecord(isGuarded: lockMeaning == .coherent),
            permissions: exact ?? FilePermissions(rawValue: 0o666), permissionsAreExact: exact != nil,
            takesGuard: lockMeaning != .remote, syncs: syncs)
        switch try publication.publish() {
        case .nameTaken: return nil
        case .published(let file, let identity, let wasExposed):
            lock = file
            lockIdentity = identity
            isPublished = true
            if wasExposed {
                guard try settleAndConfirm(fullSettleNanoseconds) else { return .again }
            }
            return try finish(nil)
        }
    }

    /// The mode of a new lock file, where there is a protected file to take it from.
    var exactPermissions: FilePermissions? {
        dataStatus.map { FilePermissions(rawValue: CModeT($0.permissions & 0o666 | 0o600)) }
    }

    private func directoryMeaning() throws(LockError) -> GuardMeaning {
        try site.attempting(.createLock) { () throws(Errno) in
            try host.fileSystemType(of: site.directory).guardMeaning
        }
    }

    private enum Opened { case gone, opened(isWritable: Bool) }

    /// Step 4, first half. The file's kind was looked at before, so that opening it cannot disturb a device.
    private func openLock() throws(LockError) -> Opened {
        let options: FileDescriptor.OpenOptions = [.noFollow, .nonBlocking]
        do throws(Errno) {
            lock = try host.open(site.lockName, in: site.directory, .readWrite, options: options, permissions: [])
            return .opened(isWritable: true)
        } catch {
            if error == .noSuchFileOrDirectory { return .gone }
            if error == .tooManySymbolicLinkLevels { throw .notAFile(site.path.appendingSuffix(".lock"), .symbolicLink) }
            guard error == .permissionDenied || error == .notPermitted else {
                throw .system(.openLock, site.path, error)
            }
        }
        do throws(Errno) {
            lock = try host.open(site.lockName, in: site.directory, .readOnly, options: options, permissions: [])
            return .opened(isWritable: false)
        } catch {
            if error == .noSuchFileOrDirectory { return .gone }
            throw .system(.openLock, site.path, error)
        }
    }

    /// Step 4, second half: the guard of the lock file, and whether the name still names that file.
    private func guardLock() throws(LockError) -> Round? {
        guard let lock else { return .again }
        let status = try site.attempting(.openLock) { () throws(Errno) in try host.status(of: lock) }
        try site.requireRegular(status, isLock: true)
        lockIdentity = status.identity
        if let ticket, let other = registry.extend(ticket, lock: status.identity) { return .done(heldHere(other)) }
        lockMeaning = try site.attempting(.openLock) { () throws(Errno) in
            try host.fileSystemType(of: lock).guardMeaning
        }
        guard lockMeaning != .remote else { return nil }
        guard try site.attempting(.lockKernel, { () throws(Errno) in try host.tryLock(lock) }) else {
            return .done(.guardBusy(.lockFile))
        }
        return try site.lockStatus()?.identity == status.identity ? nil : .again
    }

    /// Step 5.
    private func judge() throws(LockError) -> Judgement {
        guard let lock else { throw .system(.openLock, site.path, .noSuchFileOrDirectory) }
        return try Judgement.make(
            file: LockFile(site: site, descriptor: lock), guardMeaning: lockMeaning,
            guardIsFree: lockMeaning != .remote, dataStatus: dataStatus, identity: options.identity,
            rules: options.rules, watch: watch)
    }

    /// Step 6, end: gives naive peers that judged the old record the time to act on it, then sees who is there.
    private func settleAndConfirm(_ settleNanoseconds: Int64) throws(LockError) -> Bool {
        guard let lock, let lockIdentity else { return false }
        if syncs { try site.attempting(.syncLock) { () throws(Errno) in try host.sync(lock) } }
        host.sleep(nanoseconds: settleNanoseconds)
        guard try site.lockStatus()?.identity == lockIdentity else { return false }
        return try LockLook.record(at: site, held: lock, meaning: lockMeaning)?.writerID == writerID
    }

    /// Step 7, and the hand-over of everything taken to the held lock.
    private func finish(_ takeOver: LockEvent?) throws(LockError) -> Round {
        guard let lock, let lockIdentity, let ticket else { return .again }
        // Without a protected file the exclusion rests on the lock file alone, so a file that came to be since
        // means to start over and to guard it.
        if dataStatus == nil, try site.dataStatus() != nil { return .again }
        if let other = registry.extend(ticket, lock: lockIdentity, writerID: writerID) { return .done(heldHere(other)) }
        let held = HeldLock(
            site: site, options: options, registry: registry, ticket: ticket, writerID: writerID,
            lock: lock, lockIdentity: lockIdentity, lockMeaning: lockMeaning,
            data: data, dataIdentity: dataStatus?.identity)
        self.lock = nil
        data = nil
        self.ticket = nil
        isPublished = false
        if let takeOver { options.observer?(takeOver) }
        options.observer?(.acquired(writerID))
        return .done(.acquired(held))
    }

    // MARK: Details

    var fullSettleNanoseconds: Int64 {
        (lockMeaning == .remote ? options.remoteSettle : options.settle).nanoseconds
    }

    private var syncs: Bool { options.sync == .always || lockMeaning == .remote }

    private func newRecord(isGuarded: Bool) -> RecordBytes {
        LockRecord(
            processID: UInt32(bitPattern: host.processID),
            hostName: options.identity?.recordName ?? HostIdentity.recordName(on: host),
            timestampNanoseconds: UInt64(max(0, host.wallClockNanoseconds())),
            writerID: writerID, isGuarded: isGuarded
        ).recordBytes()
    }

    private func heldHere(_ entry: LockRegistry.Entry) -> Outcome {
        let record = LockRecord(
            processID: UInt32(bitPattern: entry.processID), hostName: HostIdentity.recordName(on: host),
            timestampNanoseconds: UInt64(max(0, entry.sinceNanoseconds)),
            writerID: entry.writerID ?? WriterID(low: 0, high: 0), isGuarded: true)
        return .blocked(.heldInThisProcess, LockHolder(record: record, sinceNanoseconds: entry.sinceNanoseconds))
    }
}

/// The C type of a mode, whose width differs between systems.
typealias CModeT = FilePermissions.RawValue
