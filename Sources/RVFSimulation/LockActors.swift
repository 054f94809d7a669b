import RVFHost
import RVFLock
import SystemPackage

/// Processes that use the lock: ours, by the code that ships, and naive peers, by their own.
package enum LockActors {
    /// What one of our processes does while it has the lock.
    package enum Work: Sendable {
        case commit
        /// Renews first.
        case renewAndCommit
        /// Lets so much time pass first, as a process that is frozen, or at long work.
        case waitAndCommit(seconds: Int64)
        /// Stays for so many intervals of automatic renewal, and renews at the end of each as the timer does.
        case holdAndCommit(intervals: Int)
        /// Makes the protected file, complete, under the lock.
        case createData
        /// Puts another file in the protected file's place.
        case replaceData
    }

    /// A process that acquires, works and releases.
    ///
    /// - Parameter isPrompt: whether no step takes it longer than a tenth of a second.
    package static func writer(
        _ name: String, machine: Int = 0, work: Work = .commit, rounds: Int = 1, defect: Defect? = nil,
        isPrompt: Bool = false, userID: UInt32 = 1000, processID: Int32? = nil
    ) -> World.Actor {
        var actor = World.Actor(
            name: name, machine: machine, patienceNanoseconds: isPrompt ? 100_000_000 : nil
        ) { host in
            var host = host
            host.defect = defect
            let registry = LockRegistry()
            for _ in 0..<rounds { round(host, registry, work) }
        }
        actor.userID = userID
        actor.processID = processID
        return actor
    }

    private static func round(_ host: SimulatedHost, _ registry: LockRegistry, _ work: Work) {
        var options = LockOptions(renewal: .manual)
        // There is no timer here, but the rules that go with it.
        if case .holdAndCommit = work { options.renewal = .automatic }
        do throws(LockError) {
            let lock = try HeldLock.acquire(host: host, registry: registry, protecting: Scene.data, options: options)
            host.world.tell(host.process) { $0.noteAcquired(host.process) }
            host.forgetWhatItSaw()
            do throws(LockError) {
                try perform(work, lock, host)
            } catch {
                // It says so before it gives anything back.
                host.world.tell(host.process) { $0.noteReleasing(host.process) }
                throw error
            }
            host.world.tell(host.process) { $0.noteReleasing(host.process) }
            try lock.release()
        } catch {
            // Refused, or lost: it is no holder, and knows it.
            host.world.tell(host.process) { $0.noteReleasing(host.process) }
        }
    }

    static func perform(
        _ work: Work, _ lock: HeldLock<SimulatedHost>, _ host: SimulatedHost
    ) throws(LockError) {
        switch work {
        case .commit: break
        case .renewAndCommit: try lock.renew()
        case .waitAndCommit(let seconds): host.sleep(nanoseconds: seconds * 1_000_000_000)
        case .holdAndCommit(let intervals):
            for _ in 0..<intervals {
                host.sleep(nanoseconds: LockTiming.renewalInterval)
                _ = lock.renewFromTimer()
            }
        case .createData, .replaceData:
            let draft = try lock.draftProtectedFile()
            if (try? host.write([4, 5, 6], to: draft.descriptor)) == nil { return }
            try lock.publish(draft)
        }
        host.noteValidating(lock.writerID)
        try lock.validate()
        host.commit()
    }

    /// A process that looks at the lock's status, and so fills its machine's cache.
    package static func onlooker(_ name: String, machine: Int = 0) -> World.Actor {
        World.Actor(name: name, machine: machine, patienceNanoseconds: 100_000_000) { host in
            _ = LockStatus.inspect(Scene.data, host: host, rules: .rvf, identity: nil)
        }
    }

    /// A process of the reference runtime: it knows the lock file only, and judges it as `spec/lock-protocol.md` says.
    ///
    /// - Parameters:
    ///   - holdSeconds: how long it keeps the lock.
    ///   - isPrompt: whether no step takes it longer than a tenth of a second, nor all from its look at a lock to the lock's
    ///     removal: slow for system calls, and less than our settling.
    package static func peer(
        _ name: String, machine: Int = 0, holdSeconds: Int64 = 0, isPrompt: Bool = true
    ) -> World.Actor {
        World.Actor(name: name, machine: machine, patienceNanoseconds: isPrompt ? 100_000_000 : nil, isPeer: true) { host in
            guard let directory = try? host.openDirectory(FilePath(Scene.directory)) else { return }
            for _ in 0..<2 {
                do throws(Errno) {
                    if try NaivePeer(host: host, directory: directory).acquire(holdSeconds: holdSeconds) { return }
                } catch {
                    return
                }
            }
        }
    }
}

/// One attempt of a naive peer.
struct NaivePeer {
    let host: SimulatedHost
    let directory: FileDescriptor
    private let lock = FilePath(Scene.lockName)

    init(host: SimulatedHost, directory: FileDescriptor) {
        self.host = host
        self.directory = directory
    }

    /// True where there is nothing more to try.
    func acquire(holdSeconds: Int64) throws(Errno) -> Bool {
        let file: FileDescriptor
        do throws(Errno) {
            file = try host.open(
                lock, in: directory, .readWrite, options: [.create, .exclusiveCreate], permissions: [.ownerReadWrite])
        } catch {
            if error != .fileExists { throw error }
            return try !removeIfStale()
        }
        note([], file)
        let record = Scene.record(
            host.world.state, ageSeconds: 0, isGuarded: false, hostName: String(decoding: host.hostName(), as: UTF8.self),
            processID: UInt32(host.processID))
        if host.isRemote { note(record, file, mayBeEmpty: true) }
        try host.write(record, to: file)
        // Others see it then at the latest.
        if host.isRemote { host.close(file) } else { note(record, file) }
        host.world.tell(host.process) { $0.noteAcquired(host.process) }
        if holdSeconds > 0 { host.sleep(nanoseconds: holdSeconds * 1_000_000_000) }
        host.commit()
        host.world.tell(host.process) {
            $0.noteReleasing(host.process)
            $0.notePeerLock(host.process, nil)
        }
        defer { host.world.noteLook(of: host.process, isOver: true) }
        if try read() == record { try? host.unlink(lock, in: directory) }
        return true
    }

    private func note(_ bytes: [UInt8], _ file: FileDescriptor, mayBeEmpty: Bool = false) {
        if host.world.isGhost(host.process) { return }
        let inode = host.inode(file, in: host.world.state)
        host.world.tell(host.process) {
            $0.notePeerLock(host.process, Referee.PeerLock(inode: inode, bytes: bytes, mayBeEmpty: mayBeEmpty))
        }
    }

    private func read() throws(Errno) -> [UInt8] {
        let file = try host.open(lock, in: directory, .readOnly, options: [], permissions: [])
        defer { host.close(file) }
        defer { host.world.noteLook(of: host.process) }
        return try host.read(file, count: LockRecord.byteCount)
    }

    /// By a look that takes threads for processes.
    private func isDead(_ id: Int32) -> Bool {
        host.processState(id) == .dead && !(host.world.isGhost(host.process) || host.world.state.threads.contains(id))
    }

    /// True where the lock is gone, or may be: the create is tried once more.
    private func removeIfStale() throws(Errno) -> Bool {
        defer { host.world.noteLook(of: host.process, isOver: true) }
        let bytes: [UInt8]
        do throws(Errno) {
            bytes = try read()
        } catch {
            if error == .noSuchFileOrDirectory { return true }
            throw error
        }
        guard let record = LockRecordReading(bytes).record else {
            try? host.unlink(lock, in: directory)
            return true
        }
        let age = host.wallClockNanoseconds() - Int64(record.timestampNanoseconds)
        let isDead = record.hostName == host.hostName() && isDead(Int32(record.processID))
        let limit: Int64 = record.hostName == host.hostName() ? (isDead ? 30 : .max / 1_000_000_000) : 300
        guard age > limit * 1_000_000_000 else { return false }
        try? host.unlink(lock, in: directory)
        return true
    }
}

extension SimulatedHost {
    func write(_ bytes: [UInt8], to file: FileDescriptor) throws(Errno) {
        let result: Result<Int, Errno> = unsafe bytes.withUnsafeBytes { buffer in
            do throws(Errno) {
                // The array is alive for the call.
                return .success(try unsafe write(file, from: buffer, at: 0))
            } catch {
                return .failure(error)
            }
        }
        _ = try result.get()
    }

    func read(_ file: FileDescriptor, count: Int) throws(Errno) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let result: Result<Int, Errno> = unsafe bytes.withUnsafeMutableBytes { buffer in
            do throws(Errno) {
                // The array is alive for the call.
                return .success(try unsafe read(file, into: buffer, at: 0))
            } catch {
                return .failure(error)
            }
        }
        return Array(bytes.prefix(try result.get()))
    }

    /// A step that stands for a commit's last write.
    func commit() {
        _ = try? world.perform(process, .call("commit", canFail: false).making(.commit), "commits") { (state) throws(Errno) in
            state.referee.noteCommit(process)
            if state.referee.lostBeforeValidation.contains(process), state.referee.violation == nil {
                state.referee.violation = "a process commits whose lock was gone before it validated it"
            }
            return true
        }
    }

    /// The process is about to validate: what it cannot miss from now on is what has happened already. A lock that stands
    /// aside for a moment, to be looked at and given back, is not lost.
    func noteValidating(_ id: WriterID) {
        if world.isGhost(process) { return }
        let directory = world.state.sceneDirectory
        let isOurs = world.state.files.names(in: directory).contains { name in
            guard name == Scene.lockName || name.hasPrefix(".rvf-"),
                let number = world.state.files.inode(named: name, in: directory)
            else { return false }
            let bytes = world.state.files.read(number, at: 0, count: LockRecord.byteCount)
            return LockRecordReading(bytes).record?.writerID == id
        }
        world.tell(process) { $0.noteValidating(process, isLost: !isOurs) }
    }
}
