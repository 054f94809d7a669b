package import RVFHost
import Synchronization
import SystemPackage

/// A lock that this process holds: validating, renewing, losing and releasing it.
///
/// Safe to use from any thread: one mutex lies over everything that touches the descriptors, so that no renewal can
/// write through a number that a release has just given away.
package final class HeldLock<H: Host>: Sendable {
    enum Phase: Equatable {
        case held
        /// Sent to a successor that has not answered yet: not a holder, and not free either.
        case handingOver
        case handedOver
        case lost(LossReason)
        case released
    }

    struct State {
        var phase = Phase.held
        var lock: FileDescriptor
        var lockIdentity: FileIdentity
        /// Nil while there is no protected file. Open where no guard is kept, too: it keeps the inode from being used
        /// for another file, which could not be told from this one.
        var data: FileDescriptor?
        /// Stays when the descriptor is closed, or was never kept.
        var dataIdentity: FileIdentity?
        var events: [LockEvent] = []
    }

    package let site: LockSite<H>
    package let writerID: WriterID
    package let options: LockOptions
    let registry: LockRegistry
    let ticket: UInt64
    let lockMeaning: GuardMeaning
    /// The process that acquired the lock; in a fork of it this object is dead.
    let ownerProcessID: Int32
    private let state: Mutex<State>
    /// The latest renewal on the clock that counts sleep. Beside the state, so that the timer of all locks never
    /// waits for one whose file system hangs.
    private let renewedNanoseconds: Atomic<Int64>
    /// The two descriptors once more, for a forked child, which may not ask for the mutex. Changed only with the
    /// mutex locked; -1 where there is none.
    private let lockForFork: Atomic<Int32>
    private let dataForFork: Atomic<Int32>

    var host: H { site.host }

    init(
        site: LockSite<H>, options: LockOptions, registry: LockRegistry, ticket: UInt64, writerID: WriterID,
        lock: FileDescriptor, lockIdentity: FileIdentity, lockMeaning: GuardMeaning,
        data: FileDescriptor?, dataIdentity: FileIdentity?
    ) {
        self.site = site
        self.options = options
        self.registry = registry
        self.ticket = ticket
        self.writerID = writerID
        self.lockMeaning = lockMeaning
        ownerProcessID = site.host.processID
        renewedNanoseconds = Atomic(site.host.bootClockNanoseconds())
        lockForFork = Atomic(lock.rawValue)
        dataForFork = Atomic(data?.rawValue ?? -1)
        state = Mutex(
            State(
                lock: lock, lockIdentity: lockIdentity, data: data, dataIdentity: dataIdentity))
    }

    deinit {
        try? release()
    }

    /// Whether the lock has neither been lost, as far as is known, nor released nor handed over. Asks nothing of
    /// the file system: before a commit, ``validate()`` is the question.
    package var isHeld: Bool {
        host.processID == ownerProcessID && state.withLock { $0.phase == .held }
    }

    // MARK: Validate and renew

    /// Throws unless the lock is still this process's: the lock file's name leads to our file, our writer id stands
    /// in it, and the protected file's name leads to the file that was locked.
    package func validate() throws(LockError) {
        try locked { (state) throws(LockError) in
            if isFrozen { try thaw(&state) } else { _ = try inspect(&state) }
        }
    }

    /// Makes the record young again, after having seen that it is ours.
    package func renew() throws(LockError) {
        try locked { (state) throws(LockError) in
            if isFrozen { try thaw(&state) } else { try renew(&state) }
        }
    }

    /// What the process's timer calls. Nothing is thrown at it: a loss is told to the observer and to the next
    /// ``validate()``, a failure is told too and tried again.
    ///
    /// - Returns: Whether the lock wants to be renewed again.
    package func renewFromTimer() -> Bool {
        guard host.processID == ownerProcessID else { return false }
        if state.withLock({ $0.phase == .handingOver }) { return true }
        do throws(LockError) {
            try renew()
            return true
        } catch {
            switch error {
            case .lost, .handedOver: return false
            default:
                options.observer?(.renewalFailed(error))
                return true
            }
        }
    }

    /// Whether the interval is over by the time of the timer's next tick.
    package var isRenewalDue: Bool {
        host.bootClockNanoseconds() - renewedNanoseconds.load(ordering: .relaxed) >= LockTiming.renewalInterval / 2
    }

    func setRenewed() { renewedNanoseconds.store(host.bootClockNanoseconds(), ordering: .relaxed) }

    private var isFrozen: Bool {
        guard options.renewal == .automatic else { return false }
        let age = host.bootClockNanoseconds() - renewedNanoseconds.load(ordering: .relaxed)
        return age > LockTiming.freezeLimit
    }

    /// After a gap in which the record may have looked stale: still ours, made young, and still ours after all who
    /// judged the old record have had their time. Only if that fails is the lock lost.
    private func thaw(_ state: inout State) throws(LockError) {
        do throws(LockError) {
            try renew(&state)
        } catch {
            switch error {
            case .lost: try sayTakenWhileFrozen(&state, error)
            default: try lose(&state, .renewalFailed)
            }
        }
        host.sleep(nanoseconds: (lockMeaning == .remote ? options.remoteSettle : options.settle).nanoseconds)
        do throws(LockError) {
            _ = try inspect(&state)
        } catch {
            try sayTakenWhileFrozen(&state, error)
        }
    }

    /// Throws the failure on; where it is a loss to somebody else, once and with the freeze as its reason.
    private func sayTakenWhileFrozen(_ state: inout State, _ error: LockError) throws(LockError) -> Never {
        switch error {
        case .lost(.replaced(let holder), _), .lost(.overwritten(let holder), _):
            state.events.removeAll { if case .lost = $0 { true } else { false } }
            try lose(&state, .takenWhileFrozen(by: holder))
        default: throw error
        }
    }

    private func renew(_ state: inout State) throws(LockError) {
        var record = try inspect(&state)
        let now = UInt64(max(0, host.wallClockNanoseconds()))
        record.timestampNanoseconds = RecordTimestamp.keepingChecksum(of: record, nowNanoseconds: now)
        try LockFile(site: site, descriptor: state.lock).writeTimestamp(of: record, .renew)
        if lockMeaning == .remote || options.sync == .always {
            try site.attempting(.syncLock) { () throws(Errno) in try host.sync(state.lock) }
        }
        setRenewed()
        if options.observer != nil {
            state.events.append(.renewed(timestampNanoseconds: record.timestampNanoseconds))
        }
    }

    /// The three or four cheap looks that say whether the lock is ours. Returns the record as it stands.
    func inspect(_ state: inout State) throws(LockError) -> RecordBytes {
        let record = try inspectLock(&state)
        guard let ours = state.dataIdentity else {
            guard let appeared = try site.statusIfPresent(of: site.dataName, followingLinks: true, .validate) else {
                return record
            }
            try guardAppeared(appeared, &state)
            return try inspectLock(&state)
        }
        guard try site.identityIfPresent(of: site.dataName, followingLinks: true, .validate) == ours else {
            try lose(&state, .protectedFileReplaced)
        }
        return record
    }

    private func inspectLock(_ state: inout State) throws(LockError) -> RecordBytes {
        guard let present = try site.identityIfPresent(of: site.lockName, followingLinks: false, .validate) else {
            try lose(&state, .missing)
        }
        guard present == state.lockIdentity else {
            try lose(&state, .replaced(by: LockLook.holder(at: site, identity: options.identity)))
        }
        let record = try LockLook.record(at: site, held: state.lock, meaning: lockMeaning)
        guard let record, record.magic == LockRecord.magic, record.writerID == writerID else {
            try lose(&state, .overwritten(by: LockLook.holder(at: site, identity: options.identity)))
        }
        return record
    }

    /// A protected file has come to be under our lock by other means than ours. It is guarded as an acquisition
    /// would have guarded it; somebody else's guard on it means that the lock was not exclusive.
    private func guardAppeared(_ status: FileStatus, _ state: inout State) throws(LockError) {
        guard status.kind == .regular else { try lose(&state, .protectedFileReplaced) }
        let file = try site.attempting(.validate) { () throws(Errno) in
            try host.open(site.dataName, in: site.directory, .readWrite, options: [.nonBlocking], permissions: [])
        }
        do throws(LockError) {
            guard try isGuarded(file, wanted: status.identity) else { try lose(&state, .protectedFileReplaced) }
        } catch {
            host.close(file)
            throw error
        }
        setData(file, &state)
        state.dataIdentity = status.identity
        if registry.extend(ticket, data: status.identity) != nil { try lose(&state, .protectedFileReplaced) }
    }

    private func isGuarded(_ file: FileDescriptor, wanted: FileIdentity) throws(LockError) -> Bool {
        let meaning = try site.attempting(.validate) { () throws(Errno) in
            try host.fileSystemType(of: file).guardMeaning
        }
        if meaning != .remote, try !tryPatiently(file) { return false }
        let opened = try site.attempting(.validate) { () throws(Errno) in try host.status(of: file).identity }
        let named = try site.dataStatus()?.identity
        return opened == wanted && named == wanted
    }

    /// A judge may have the guard for a moment, before it sees that the lock is ours.
    private func tryPatiently(_ file: FileDescriptor) throws(LockError) -> Bool {
        let end = host.bootClockNanoseconds() + LockTiming.busyRetry
        while true {
            if try site.attempting(.lockKernel, { () throws(Errno) in try host.tryLock(file) }) { return true }
            if host.bootClockNanoseconds() >= end { return false }
            host.sleep(nanoseconds: 5_000_000)
        }
    }

    // MARK: Release

    /// Gives the lock up: takes the lock file away if it is still ours, and drops the guards.
    ///
    /// Throws where the lock was lost, or where its file could not be removed; it is given up all the same. In a
    /// fork of the acquiring process only the descriptors are closed.
    package func release() throws(LockError) {
        guard host.processID == ownerProcessID else {
            // A thread that the fork left behind may have had the mutex, so the state is not asked.
            closeInFork(lockForFork.exchange(-1, ordering: .relaxed))
            closeInFork(dataForFork.exchange(-1, ordering: .relaxed))
            return
        }
        let failure = state.withLock { state in releaseLocked(&state) }
        tellEvents()
        if let failure { throw failure }
    }

    private func closeInFork(_ descriptor: Int32) {
        if descriptor >= 0 { host.close(FileDescriptor(rawValue: descriptor)) }
    }

    private func releaseLocked(_ state: inout State) -> LockError? {
        var failure: LockError?
        switch state.phase {
        case .released, .handedOver, .handingOver: return nil
        case .lost(let reason):
            failure = .lost(reason, site.path)
            // Lost for another reason than its own file, the record would go on to name a live process, and shut
            // out everybody to whom the kernel lock proves nothing.
            _ = try? putAsideAndUnlink(state, as: site.makePrivateName())
        case .held:
            do throws(LockError) {
                try removeFile(&state)
            } catch {
                failure = error
                // A look that failed once need not fail again.
                if case .system = error, (try? putAsideAndUnlink(state, as: site.makePrivateName())) == .removed { failure = nil }
            }
        }
        close(&state)
        state.phase = .released
        if failure == nil { state.events.append(.released) }
        return failure
    }

    private func putAsideAndUnlink(_ state: State, as aside: FilePath) throws(LockError) -> LockRemoval.Outcome {
        let identity = state.lockIdentity
        let file = LockFile(site: site, descriptor: state.lock)
        let writerID = writerID
        return try LockRemoval.remove(at: site, aside: aside) { (status) throws(LockError) in
            guard status.identity == identity else { return false }
            return try file.recordBytes()?.writerID == writerID
        }
    }

    private func removeFile(_ state: inout State) throws(LockError) {
        // The writer id is as random as a private name needs to be, and at hand.
        switch try putAsideAndUnlink(state, as: site.privateName(writerID.low)) {
        case .removed: break
        case .missing: try lose(&state, .missing)
        case .somebodyElses:
            try lose(&state, .replaced(by: LockLook.holder(at: site, identity: options.identity)))
        }
    }

    /// Drops the guards by closing their files, never by LOCK_UN: a successor may share them.
    func close(_ state: inout State) {
        // Before the files are closed: their inode numbers may be somebody's next files at once.
        registry.remove(ticket, releasedNanoseconds: host.bootClockNanoseconds())
        lockForFork.store(-1, ordering: .relaxed)
        host.close(state.lock)
        setData(nil, &state)
    }

    /// Puts another descriptor of the protected file in the place of the one kept, which is closed.
    func setData(_ descriptor: FileDescriptor?, _ state: inout State) {
        dataForFork.store(descriptor?.rawValue ?? -1, ordering: .relaxed)
        if let old = state.data { host.close(old) }
        state.data = descriptor
    }

    // MARK: State

    /// Runs with the state locked, in the process and the phase in which the lock is held.
    func locked<Value>(
        _ body: (inout State) throws(LockError) -> Value
    ) throws(LockError) -> Value {
        // Before the mutex: another thread may have had it at the fork.
        guard host.processID == ownerProcessID else { throw .lost(.forked, site.path) }
        defer { tellEvents() }
        return try withState { (state) throws(LockError) -> Value in
            switch state.phase {
            case .held: break
            case .lost(let reason): throw .lost(reason, site.path)
            case .handingOver, .handedOver, .released: throw .handedOver(site.path)
            }
            return try body(&state)
        }
    }

    func withState<Value>(_ body: (inout State) throws(LockError) -> Value) throws(LockError) -> Value {
        // A plain Result crosses the mutex, whose closure would otherwise ask for a `sending` value.
        var value: Result<Value, LockError>?
        state.withLock { state in
            do throws(LockError) { value = .success(try body(&state)) } catch { value = .failure(error) }
        }
        return try value!.get()
    }

    func tellEvents() {
        for event in takeEvents() { options.observer?(event) }
    }

    private func takeEvents() -> [LockEvent] {
        guard options.observer != nil else { return [] }
        return state.withLock { state in
            let events = state.events
            state.events = []
            return events
        }
    }

    func lose(_ state: inout State, _ reason: LossReason) throws(LockError) -> Never {
        state.phase = .lost(reason)
        state.events.append(.lost(reason))
        throw .lost(reason, site.path)
    }
}
