package import RVFHost
import RVFLock
package import SystemPackage

/// Where the lock's worlds play: one directory, the protected file and its lock.
package enum Scene {
    package static let directory = "/d"
    package static let dataName = "data.rvf"
    package static let lockName = "data.rvf.lock"
    package static let data = FilePath("/d/data.rvf")

    /// What stands at the lock's name before anybody comes.
    package enum Beginning: String, CaseIterable, Sendable {
        case noLock
        /// A record of a dead holder of ours, a second old.
        case deadGuarded
        /// The same, an hour old.
        case oldDeadGuarded
        /// A record that a naive peer, dead, left an hour ago.
        case oldPeer
        /// An empty file, an hour old.
        case oldEmpty
        /// A record of another host, an hour old.
        case oldOtherHost
        /// Twelve bytes that are no record.
        case garbage
        /// A record of a dead holder of ours, of another user, an hour old: it cannot be written, only exchanged.
        case oldOtherUser

        var owner: UInt32 { self == .oldOtherUser ? 2000 : 1000 }
    }

    package static func state(
        _ beginning: Beginning, hasData: Bool = true, meaning: GuardMeaning = .coherent, hasUnnamedFiles: Bool = true,
        namesExclusively: Bool = true, budget: Budget = Budget(), hasPrivateNaps: Bool = true
    ) -> WorldState {
        var files = SimulatedFileSystem(
            type: FileSystemType(name: "simulated", guardMeaning: meaning), hasUnnamedFiles: hasUnnamedFiles)
        if !namesExclusively {
            files.refusals = Refusals(exclusiveRename: .notSupported, exchange: .notSupported, link: .notSupported)
        }
        files.makeDirectory(directory)
        var state = WorldState(
            files: files,
            machines: [
                WorldState.Machine(name: "alpha", wallClockOffsetNanoseconds: 1_700_000_000_000_000_000),
                WorldState.Machine(name: "beta", wallClockOffsetNanoseconds: 1_700_000_000_000_000_000),
            ],
            budget: budget)
        state.hasPrivateNaps = hasPrivateNaps
        if hasData { state.put([1, 2, 3], as: dataName, ageSeconds: 7200) }
        if let (bytes, age) = contents(beginning, state) { state.put(bytes, as: lockName, ageSeconds: age, owner: beginning.owner) }
        return state
    }

    /// The same on a file system that three machines reach through a network. A system call takes a tenth of a second
    /// at most there, where a process is prompt.
    package static func remote(
        _ beginning: Beginning, _ caching: RemoteCaching = .nfs3, hasLinks: Bool = true, budget: Budget = Budget()
    ) -> WorldState {
        var state = state(
            beginning, meaning: .remote, hasUnnamedFiles: false, budget: budget, hasPrivateNaps: false)
        state.machines.append(
            WorldState.Machine(name: "delta", wallClockOffsetNanoseconds: 1_700_000_000_000_000_000))
        state.remote = RemoteCaches(caching)
        state.files.refusals = Refusals(
            exclusiveRename: .invalidArgument, exchange: .invalidArgument, link: hasLinks ? nil : .notSupported)
        return state
    }

    private static func contents(_ beginning: Beginning, _ state: WorldState) -> ([UInt8], ageSeconds: Int64)? {
        switch beginning {
        case .noLock: nil
        case .deadGuarded: (record(state, ageSeconds: 1, isGuarded: true), 1)
        case .oldDeadGuarded, .oldOtherUser: (record(state, ageSeconds: 3600, isGuarded: true), 3600)
        case .oldPeer: (record(state, ageSeconds: 3600, isGuarded: false), 3600)
        case .oldEmpty: ([], 3600)
        case .oldOtherHost: (record(state, ageSeconds: 3600, isGuarded: false, hostName: "gamma"), 3600)
        case .garbage: (Array("no lock here".utf8), 3600)
        }
    }

    /// A record of a process that nobody runs.
    static func record(
        _ state: WorldState, ageSeconds: Int64, isGuarded: Bool, hostName: String = "alpha", processID: UInt32 = 9
    ) -> [UInt8] {
        let now = state.wallClockNanoseconds(on: 0)
        let id = WriterID(bytes: [UInt8](repeating: 9, count: 16))
        guard let id else { preconditionFailure("sixteen bytes are a writer id") }
        return LockRecord(
            processID: processID, hostName: Array(hostName.utf8),
            timestampNanoseconds: UInt64(now - ageSeconds * 1_000_000_000), writerID: id, isGuarded: isGuarded
        ).encoded()
    }
}

extension WorldState {
    package var sceneDirectory: UInt64 {
        guard let number = try? files.directory(at: Scene.directory) else {
            preconditionFailure("every scene has its directory")
        }
        return number
    }

    /// The inode at the lock's name.
    package var lockInode: UInt64? { files.inode(named: Scene.lockName, in: sceneDirectory) }
    package var dataInode: UInt64? { files.inode(named: Scene.dataName, in: sceneDirectory) }

    mutating func put(_ bytes: [UInt8], as name: String, ageSeconds: Int64, owner: UInt32 = 1000) {
        let then = wallClockNanoseconds(on: 0) - ageSeconds * 1_000_000_000
        let number = files.makeFile(permissions: 0o644, owner: owner, maker: -1, now: then)
        files.write(number, bytes, at: 0, now: then)
        do throws(Errno) {
            try files.link(number, as: name, in: sceneDirectory)
        } catch {
            preconditionFailure("a scene's names are made once")
        }
    }

    // MARK: What the world does by itself

    func isPossible(_ act: WorldAct) -> Bool {
        switch act {
        case .removeLock, .overwriteLock, .moveLock: lockInode != nil
        case .makeData: dataInode == nil
        case .replaceData, .recreateData: dataInode != nil
        case .freeze(let process, _): process < processes.count && processes[process].life == .running
        case .suspend: true
        case .stepClock, .passTime: true
        case .reuseProcessID: processes.contains { $0.life == .killed && !strangers.contains($0.id) }
        }
    }

    mutating func apply(_ act: WorldAct) {
        switch act {
        case .removeLock:
            try? changeNames { (files, directory) throws(Errno) in try files.unlink(Scene.lockName, in: directory) }
        case .moveLock:
            try? changeNames { (files, directory) throws(Errno) in
                try files.rename(Scene.lockName, to: "moved", in: directory, isExclusive: true)
            }
        case .replaceData:
            referee.noteDataReplaced()
            put([1, 2, 3], as: "copy", ageSeconds: 0)
            try? changeNames { (files, directory) throws(Errno) in
                try files.rename("copy", to: Scene.dataName, in: directory, isExclusive: false)
            }
        case .overwriteLock:
            guard let lockInode else { return }
            let bytes = Scene.record(self, ageSeconds: 0, isGuarded: false, hostName: "gamma")
            files.write(lockInode, bytes, at: 0, now: wallClockNanoseconds(on: 0))
        case .makeData: put([7, 8, 9], as: Scene.dataName, ageSeconds: 0)
        case .recreateData:
            referee.noteDataReplaced()
            try? changeNames { (files, directory) throws(Errno) in try files.unlink(Scene.dataName, in: directory) }
            put([1, 2, 3], as: Scene.dataName, ageSeconds: 0)
        case .stepClock(let machine, let seconds):
            machines[machine].wallClockOffsetNanoseconds += seconds * 1_000_000_000
        case .reuseProcessID:
            for process in processes where process.life == .killed { strangers.insert(process.id) }
        case .passTime(let seconds):
            bootClockNanoseconds += seconds * 1_000_000_000
        case .freeze(let process, let seconds): freeze(process, seconds: seconds)
        case .suspend(let machine, let seconds):
            for process in processes.indices where processes[process].machine == machine {
                freeze(process, seconds: seconds)
            }
        }
    }

    /// A process makes no step for so long. Who has not started yet does not live through it.
    private mutating func freeze(_ process: Int, seconds: Int64) {
        guard processes[process].life == .running else { return }
        let end = bootClockNanoseconds + seconds * 1_000_000_000
        processes[process].wakesNanoseconds = max(processes[process].wakesNanoseconds ?? 0, end)
    }
}
