import RVFHost
import RVFLock
import SystemPackage

/// What a process with a defect remembers where it should look.
struct DefectMemory: Hashable, Sendable {
    /// The inodes that it opened last under the two names.
    var seenLock: UInt64?
    var seenData: UInt64?
    /// Its own files, once it has the lock.
    var ownLock: UInt64?
    var ownData: UInt64?
    var ownRecord: [UInt8]?
    /// What it should have written before it gave the file a name.
    var owedBytes: [UInt8]?
    var owesLock = false
}

extension SimulatedHost {
    private func memory(_ state: WorldState) -> DefectMemory { state.processes[process].memory }

    func noteSeen(_ inode: UInt64, as name: FilePath, in state: inout WorldState) {
        if defect == .noLockFileRecheck || defect == .exchangesWithoutLook, name.string == Scene.lockName { state.processes[process].memory.seenLock = inode }
        if defect == .noProtectedFileRecheck, name.string == Scene.dataName {
            state.processes[process].memory.seenData = inode
        }
    }

    /// The process has acquired: from now on it is judged by how it holds.
    func forgetWhatItSaw() {
        guard defect != nil else { return }
        _ = world.read(process) { state in
            let lock = state.lockInode
            state.processes[process].memory = DefectMemory(
                ownLock: lock, ownData: state.dataInode, ownRecord: lock.flatMap { state.files.inodes[$0]?.bytes })
            return true
        }
    }

    /// Where a name leads as the process believes; nil where it looks.
    func believed(_ name: FilePath, in state: WorldState) -> UInt64? {
        let memory = memory(state)
        let inode: UInt64? =
            switch (defect, name.string) {
            case (.noLockFileRecheck, Scene.lockName): memory.seenLock
            case (.noProtectedFileRecheck, Scene.dataName): memory.seenData
            case (.exchangesWithoutLook, let name): name.hasPrefix(".rvf-") ? memory.seenLock : nil
            case (.validatesFromMemory, Scene.lockName): memory.ownLock
            case (.validatesFromMemory, Scene.dataName): memory.ownData
            case (.removesWithoutLook, let name), (.removesInPlace, let name):
                name.hasPrefix(".rvf-") ? memory.ownLock : nil
            default: nil
            }
        return inode.flatMap { state.files.inodes[$0] == nil ? nil : $0 }
    }

    /// What a file holds as the process believes; nil where it looks.
    func remembered(_ inode: UInt64, in state: WorldState) -> [UInt8]? {
        defect == .validatesFromMemory && inode == memory(state).ownLock ? memory(state).ownRecord : nil
    }

    func lock(_ descriptor: FileDescriptor, in state: inout WorldState) -> Bool {
        let number = inode(descriptor, in: state)
        let isData = number == state.dataInode
        let description = state.description(descriptor.rawValue, of: process)
        switch defect {
        case .noGuardOnProtectedFile where isData, .noGuardOnLockFile where !isData: return true
        case .ignoresBusyGuard where !isData:
            _ = state.files.tryLock(number, description: description)
            return true
        case .publishesBeforeGuard where state.files.inodes[number]?.linkCount == 0:
            state.processes[process].memory.owesLock = true
            return true
        default: return state.files.tryLock(number, description: description)
        }
    }

    /// Does late what should have been done before the file got its name.
    func payWhatIsOwed(_ descriptor: FileDescriptor) {
        if world.isGhost(process) { return }
        let owed = memory(world.state)
        guard owed.owesLock || owed.owedBytes != nil else { return }
        _ = try? world.perform(process, .call("late step", canFail: false), "does what it should have done before") {
            (state) throws(Errno) in
            let number = inode(descriptor, in: state)
            state.processes[process].memory.owesLock = false
            state.processes[process].memory.owedBytes = nil
            if let bytes = owed.owedBytes {
                state.files.write(number, bytes, at: 0, now: state.wallClockNanoseconds(on: 0))
            }
            let description = state.description(descriptor.rawValue, of: process)
            return state.files.tryLock(number, description: description)
        }
    }

    /// Nil where the write is made as it should be.
    func writeDefectively(
        _ bytes: [UInt8], _ descriptor: FileDescriptor, at offset: Int64
    ) throws(Errno) -> Int? {
        guard let defect, !world.isGhost(process) else { return nil }
        let state = world.state
        let number = inode(descriptor, in: state)
        let isNamed = number == state.lockInode
        let isWhole = bytes.count == LockRecord.byteCount && offset == 0
        switch defect {
        case .omitsGuardByte where isWhole:
            guard var record = LockRecordReading(bytes).record, record.isGuarded else { return nil }
            record.isGuarded = false
            try write(record.encoded(), to: descriptor)
            return bytes.count
        case .publishesBeforeRecord where isWhole && state.files.inodes[number]?.linkCount == 0:
            _ = world.read(process) { state in
                state.processes[process].memory.owedBytes = bytes
                return true
            }
            return bytes.count
        case .unlinksToTakeOver where isWhole && isNamed && state.files.inodes[number]?.maker != process:
            try replace(descriptor, with: bytes)
            return bytes.count
        case .renewsByRename where memory(state).ownLock != nil && bytes.count == 8:
            try renewByRename(descriptor, with: bytes, at: Int(offset))
            return bytes.count
        default: return nil
        }
    }

    private func replace(_ descriptor: FileDescriptor, with bytes: [UInt8]) throws(Errno) {
        _ = try? world.perform(process, .call("unlink"), "removes the lock file") { (state) throws(Errno) in
            try state.files.unlink(Scene.lockName, in: state.sceneDirectory)
            return true
        }
        _ = try world.perform(process, .call("open"), "makes the lock file anew") { (state) throws(Errno) in
            let new = state.files.makeFile(
                permissions: 0o644, owner: userID, maker: process, now: state.wallClockNanoseconds(on: 0))
            try state.files.link(new, as: Scene.lockName, in: state.sceneDirectory)
            state.files.write(new, bytes, at: 0, now: state.wallClockNanoseconds(on: 0))
            lead(descriptor, to: new, in: &state)
            return true
        }
    }

    private func renewByRename(
        _ descriptor: FileDescriptor, with bytes: [UInt8], at offset: Int
    ) throws(Errno) {
        _ = try world.perform(process, .call("rename"), "renames a new record over the lock file") {
            (state) throws(Errno) in
            let now = state.wallClockNanoseconds(on: 0)
            var record = state.files.inodes[inode(descriptor, in: state)]?.bytes ?? []
            record.replaceSubrange(offset..<(offset + bytes.count), with: bytes)
            let new = state.files.makeFile(permissions: 0o644, owner: userID, maker: process, now: now)
            state.files.write(new, record, at: 0, now: now)
            try state.files.link(new, as: ".rvf-new", in: state.sceneDirectory)
            try state.files.rename(".rvf-new", to: Scene.lockName, in: state.sceneDirectory, isExclusive: false)
            lead(descriptor, to: new, in: &state)
            return true
        }
    }

    /// Makes a descriptor lead to another file, locked.
    private func lead(_ descriptor: FileDescriptor, to new: UInt64, in state: inout WorldState) {
        let description = state.description(descriptor.rawValue, of: process)
        let old = inode(descriptor, in: state)
        state.processes[process].descriptors[descriptor.rawValue]?.inode = new
        state.files.noteOpened(new)
        state.files.noteClosed(old, description: description)
        _ = state.files.tryLock(new, description: description)
    }
}
