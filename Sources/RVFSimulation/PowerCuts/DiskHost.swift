package import RVFHost
package import SystemPackage

/// The system as the one process of a ``DiskMachine`` sees it: every call is done at once, in memory, and what changes
/// the disk is noted down.
package struct DiskHost: SecludedHost {
    static let user: UInt32 = 1000

    package let machine: DiskMachine

    package init(_ machine: DiskMachine) {
        self.machine = machine
    }

    // MARK: Directories

    package func openDirectory(_ path: FilePath) throws(Errno) -> FileDescriptor {
        try machine.perform { (state) throws(Errno) in
            state.install(try state.disk.files.directory(at: path.string))
        }
    }

    package func openDirectoryForReading(_ path: FilePath) throws(Errno) -> FileDescriptor { try openDirectory(path) }

    package func names(in directory: FileDescriptor) throws(Errno) -> [FilePath.Component] {
        machine.look { $0.disk.files.names(in: $0.disk.directory) }.compactMap { FilePath.Component($0) }
    }

    // MARK: Files

    package func open(
        _ name: FilePath, in directory: FileDescriptor, _ mode: FileDescriptor.AccessMode,
        options: FileDescriptor.OpenOptions, permissions: FilePermissions
    ) throws(Errno) -> FileDescriptor {
        try machine.perform { (state) throws(Errno) in
            if name.string == "." { return state.install(state.disk.directory) }
            if let found = state.disk.inode(named: name.string) {
                if options.contains(.exclusiveCreate) { throw .fileExists }
                return state.install(found)
            }
            guard options.contains(.create) else { throw .noSuchFileOrDirectory }
            let made = state.makeFile(permissions)
            try state.disk.link(made, as: name.string)
            state.noteChange("\(name) is made")
            return state.install(made)
        }
    }

    package func openUnnamed(
        in directory: FileDescriptor, permissions: FilePermissions
    ) throws(Errno) -> FileDescriptor {
        try machine.perform { (state) throws(Errno) in
            guard state.disk.files.hasUnnamedFiles else { throw .notSupported }
            let made = state.makeFile(permissions)
            // The lock's own file is the first that is made so.
            if state.defect == .namesBeforeContent, state.disk.inode(named: Scene.lockName) != nil {
                state.disk.nameEarly(made, as: Scene.dataName)
                state.noteChange("\(Scene.dataName) is made")
            }
            return state.install(made)
        }
    }

    package func linkUnnamed(
        _ descriptor: FileDescriptor, as name: FilePath, in directory: FileDescriptor
    ) throws(Errno) {
        try machine.perform { (state) throws(Errno) in
            let inode = state.inode(descriptor)
            try state.disk.link(inode, as: name.string)
            state.noteChange("\(name) is linked")
        }
    }

    package func close(_ descriptor: FileDescriptor) {
        machine.look { state in
            guard let inode = state.open.removeValue(forKey: descriptor.rawValue) else { return }
            state.disk.noteClosed(inode, description: Int(descriptor.rawValue))
        }
    }

    package func read(
        _ descriptor: FileDescriptor, into buffer: UnsafeMutableRawBufferPointer, at offset: Int64
    ) throws(Errno) -> Int {
        let count = buffer.count
        let bytes = machine.look { $0.disk.files.read($0.inode(descriptor), at: Int(offset), count: count) }
        // As many bytes as the buffer has room for, at most.
        unsafe buffer.copyBytes(from: bytes)
        return bytes.count
    }

    package func write(
        _ descriptor: FileDescriptor, from buffer: UnsafeRawBufferPointer, at offset: Int64
    ) throws(Errno) -> Int {
        let bytes = unsafe Array(buffer)
        machine.look { state in
            state.disk.write(state.inode(descriptor), bytes, at: Int(offset), now: state.wallClockNanoseconds)
            state.noteChange("\(bytes.count) bytes are written at \(offset)")
        }
        return bytes.count
    }

    package func status(of descriptor: FileDescriptor) throws(Errno) -> FileStatus {
        machine.look { $0.disk.files.status(of: $0.inode(descriptor)) }
    }

    package func status(
        of name: FilePath, in directory: FileDescriptor, followingLinks: Bool
    ) throws(Errno) -> FileStatus {
        try machine.perform { (state) throws(Errno) in
            guard let inode = state.disk.inode(named: name.string) else { throw .noSuchFileOrDirectory }
            return state.disk.files.status(of: inode)
        }
    }

    package func birthNanoseconds(of name: FilePath, in directory: FileDescriptor) -> Int64? {
        machine.look { state in
            state.disk.inode(named: name.string).flatMap { state.disk.files.inodes[$0]?.birthNanoseconds }
        }
    }

    package func truncate(_ descriptor: FileDescriptor, toBytes length: Int64) throws(Errno) {
        machine.look { state in
            state.disk.truncate(state.inode(descriptor), to: Int(length), now: state.wallClockNanoseconds)
            state.noteChange("a file is cut to \(length) bytes")
        }
    }

    package func setPermissions(_ descriptor: FileDescriptor, _ permissions: FilePermissions) throws(Errno) {
        machine.look { $0.disk.setPermissions($0.inode(descriptor), UInt32(permissions.rawValue)) }
    }

    package func sync(_ descriptor: FileDescriptor) throws(Errno) {
        try machine.perform { (state) throws(Errno) in
            let inode = state.inode(descriptor)
            try state.dieIfDue(inode)
            state.sync(inode)
        }
    }

    package func syncData(_ descriptor: FileDescriptor) throws(Errno) { try sync(descriptor) }

    // MARK: Names

    package func link(_ name: FilePath, as newName: FilePath, in directory: FileDescriptor) throws(Errno) {
        throw .notSupported
    }

    package func rename(_ name: FilePath, to newName: FilePath, in directory: FileDescriptor) throws(Errno) {
        try machine.perform { (state) throws(Errno) in
            if state.disk.inode(named: newName.string) != nil {
                state.replacementCount += 1
                if state.defect == .renamesInTwoSteps {
                    try state.disk.unlink(newName.string)
                    state.noteChange("\(newName) is removed")
                }
            }
            try state.disk.rename(name.string, to: newName.string, isExclusive: false)
            state.noteChange("\(name) is renamed to \(newName)")
        }
    }

    package func renameExclusively(
        _ name: FilePath, to newName: FilePath, in directory: FileDescriptor
    ) throws(Errno) {
        try machine.perform { (state) throws(Errno) in
            try state.disk.rename(name.string, to: newName.string, isExclusive: true)
            state.noteChange("\(name) is renamed to \(newName), which was free")
        }
    }

    package func exchange(_ first: FilePath, _ second: FilePath, in directory: FileDescriptor) throws(Errno) {
        try machine.perform { (state) throws(Errno) in
            try state.disk.exchange(first.string, second.string)
            state.noteChange("\(first) and \(second) are exchanged")
        }
    }

    package func unlink(_ name: FilePath, in directory: FileDescriptor) throws(Errno) {
        try machine.perform { (state) throws(Errno) in
            try state.disk.unlink(name.string)
            state.noteChange("\(name) is removed")
        }
    }

    // MARK: Locks, clocks and identity

    package func tryLock(_ descriptor: FileDescriptor) throws(Errno) -> Bool {
        machine.look { $0.disk.tryLock($0.inode(descriptor), description: Int(descriptor.rawValue)) }
    }

    package func fileSystemType(of descriptor: FileDescriptor) throws(Errno) -> FileSystemType {
        machine.look { $0.disk.files.type }
    }

    package func lockingProcess(of file: FileIdentity) -> Int32? { nil }

    package func sleep(nanoseconds: Int64) {
        machine.look { state in
            state.wallClockNanoseconds += max(0, nanoseconds)
            state.bootClockNanoseconds += max(0, nanoseconds)
        }
    }

    package func wallClockNanoseconds() -> Int64 { machine.look { $0.wallClockNanoseconds } }
    package func bootClockNanoseconds() -> Int64 { machine.look { $0.bootClockNanoseconds } }

    package func fillWithRandomBytes(_ buffer: UnsafeMutableRawBufferPointer) {
        let count = buffer.count
        let bytes = machine.look { state in (0..<count).map { _ in UInt8(truncatingIfNeeded: state.random.next()) } }
        // As many as the buffer takes.
        unsafe buffer.copyBytes(from: bytes)
    }

    /// The same after every boot: an id that is used again is the hardest case.
    package var processID: Int32 { 100 }
    package var userID: UInt32 { Self.user }
    package func processState(_ process: Int32) -> ProcessState { process == processID ? .alive : .dead }
    package func hostName() -> [UInt8] { Array("alpha".utf8) }
}

extension DiskMachine.State {
    func inode(_ descriptor: FileDescriptor) -> UInt64 {
        guard let inode = open[descriptor.rawValue] else {
            preconditionFailure("a descriptor that is not open: EBADF is a bug")
        }
        return inode
    }

    mutating func install(_ inode: UInt64) -> FileDescriptor {
        var number: Int32 = 3
        while open[number] != nil { number += 1 }
        open[number] = inode
        disk.noteOpened(inode)
        return FileDescriptor(rawValue: number)
    }

    mutating func makeFile(_ permissions: FilePermissions) -> UInt64 {
        disk.makeFile(permissions: UInt32(permissions.rawValue) & ~0o022, now: wallClockNanoseconds)
    }

    mutating func dieIfDue(_ inode: UInt64) throws(Errno) {
        switch death {
        case .nameSync where inode == disk.directory: break
        case .headerSync where isStore(inode) && endsInHeader(inode): break
        default: return
        }
        if let death { deaths.insert(death) }
        death = nil
        throw .ioError
    }

    mutating func sync(_ inode: UInt64) {
        guard inode != disk.directory else {
            if !losesNames { disk.syncNames() }
            return note("the directory is synced", newest: nil)
        }
        syncFile(inode)
        noteSync(of: inode)
        note("a file is synced", newest: nil)
    }

    private mutating func syncFile(_ inode: UInt64) {
        switch defect {
        case .noSyncBeforeHeader where isStore(inode) && !endsInHeader(inode): break
        case .noSyncAfterHeader where isStore(inode) && endsInHeader(inode): break
        case .noSyncOfFoundCommit where isStore(inode) && deaths.contains(.headerSync): break
        case .noSyncOfCreatedFile where !hasStore: break
        case .noSyncOfCompactedFile where hasStore && !isStore(inode): break
        case .syncsForgetLength where isStore(inode): disk.sync(inode, lengths: false)
        case .syncsComeLate where isStore(inode):
            disk.sync(inode, first: owedChangeCounts[inode] ?? 0)
            owedChangeCounts[inode] = disk.pendingCount(of: inode)
        default: disk.sync(inode)
        }
    }

    private var losesNames: Bool {
        switch defect {
        case .noSyncOfCreatedName: replacementCount == 0
        case .noSyncOfCompactedName: replacementCount > 0
        case .noSyncOfFoundName: deaths.contains(.nameSync)
        default: false
        }
    }

    private var hasStore: Bool { disk.inode(named: Scene.dataName) != nil }
    private func isStore(_ inode: UInt64) -> Bool { disk.inode(named: Scene.dataName) == inode }

    /// Whether the last that was written to a file is as long as a manifest's header.
    private func endsInHeader(_ inode: UInt64) -> Bool {
        let headerByteCount = 64
        if case .write(_, _, let bytes) = disk.lastChange(of: inode) { return bytes.count == headerByteCount }
        return false
    }
}
