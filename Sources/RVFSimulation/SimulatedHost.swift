package import RVFHost
package import SystemPackage

/// The system as a simulated process sees it.
package struct SimulatedHost: SecludedHost {
    package let world: World
    package let process: Int
    /// What this process's system does wrong, on purpose.
    package var defect: Defect?
    package let processID: Int32
    package let userID: UInt32
    /// Whether the files are another machine's.
    let isRemote: Bool

    init(world: World, process: Int, userID: UInt32) {
        self.world = world
        self.process = process
        self.userID = userID
        processID = world.state.processes[process].id
        isRemote = world.state.remote != nil
    }

    // MARK: Descriptors

    func inode(_ descriptor: FileDescriptor, in state: WorldState) -> UInt64 {
        guard let open = state.processes[process].descriptors[descriptor.rawValue] else {
            preconditionFailure("a descriptor that is not open: EBADF is a bug")
        }
        return open.inode
    }

    func install(_ inode: UInt64, isWritable: Bool, in state: inout WorldState) -> Int32 {
        state.files.noteOpened(inode)
        return state.install(
            WorldState.OpenFile(inode: inode, isWritable: isWritable, description: state.freeDescription(of: process)),
            of: process)
    }

    private func isDirectory(_ descriptor: FileDescriptor) -> Bool {
        world.isGhost(process) || inode(descriptor, in: world.state) == world.state.sceneDirectory
    }

    /// Whether others can reach the file behind a descriptor.
    private func isShared(_ descriptor: FileDescriptor) -> Bool {
        if world.isGhost(process) { return false }
        let number = inode(descriptor, in: world.state)
        guard let inode = world.state.files.inodes[number] else { return false }
        return inode.kind == .regular && (inode.linkCount > 0 || inode.openCount > 1)
    }

    // MARK: Directories

    package func openDirectory(_ path: FilePath) throws(Errno) -> FileDescriptor {
        try openDirectoryForReading(path)
    }

    package func openDirectoryForReading(_ path: FilePath) throws(Errno) -> FileDescriptor {
        FileDescriptor(
            rawValue: try world.perform(process, .call("opendir", isVisible: false).making(.quiet), "opens \(path)") {
                (state) throws(Errno) in
                install(try state.files.directory(at: path.string), isWritable: false, in: &state)
            })
    }

    package func names(in directory: FileDescriptor) throws(Errno) -> [FilePath.Component] {
        try world.perform(process, .call("readdir").making(.list), "lists the directory") { (state) throws(Errno) in
            state.files.names(in: inode(directory, in: state))
        }.compactMap { FilePath.Component($0) }
    }

    package func checkWritable(_ directory: FileDescriptor) throws(Errno) {
        if world.isGhost(process) { throw .ioError }
        if let error = world.state.files.refusals.entries { throw error }
    }

    // MARK: Files

    package func open(
        _ name: FilePath, in directory: FileDescriptor, _ mode: FileDescriptor.AccessMode,
        options: FileDescriptor.OpenOptions, permissions: FilePermissions
    ) throws(Errno) -> FileDescriptor {
        let isDirectory = name.string == "."
        if isRemote {
            return isDirectory
                ? try openDirectoryRemotely() : try openRemotely(name, mode, options: options, permissions: permissions)
        }
        let made: HostCall =
            isDirectory ? .quiet : .open(name, isWritable: mode != .readOnly, creates: options.contains(.create))
        let number = try world.perform(process, .call("open", isVisible: !isDirectory).making(made), "opens \(name)") {
            (state) throws(Errno) -> Int32 in
            let parent = inode(directory, in: state)
            if isDirectory { return install(parent, isWritable: false, in: &state) }
            if let found = state.files.inode(named: name.string, in: parent) {
                noteSeen(found, as: name, in: &state)
                if options.contains(.exclusiveCreate) { throw .fileExists }
                try requireAccess(to: found, mode, in: state)
                return install(found, isWritable: mode != .readOnly, in: &state)
            }
            guard options.contains(.create) else { throw .noSuchFileOrDirectory }
            try requireChange(in: state)
            let made = makeFile(permissions, in: &state)
            try state.files.link(made, as: name.string, in: parent)
            return install(made, isWritable: true, in: &state)
        }
        return FileDescriptor(rawValue: number)
    }

    func makeFile(_ permissions: FilePermissions, in state: inout WorldState) -> UInt64 {
        state.files.makeFile(
            permissions: UInt32(permissions.rawValue) & ~0o022, owner: userID, maker: process,
            now: state.wallClockNanoseconds(on: 0))
    }

    package func openUnnamed(
        in directory: FileDescriptor, permissions: FilePermissions
    ) throws(Errno) -> FileDescriptor {
        let number = try world.perform(process, .call("open O_TMPFILE", isVisible: false).making(.openUnnamed), "makes a file without a name") {
            (state) throws(Errno) -> Int32 in
            guard state.files.hasUnnamedFiles else { throw .notSupported }
            try requireChange(in: state)
            return install(makeFile(permissions, in: &state), isWritable: true, in: &state)
        }
        return FileDescriptor(rawValue: number)
    }

    package func linkUnnamed(
        _ descriptor: FileDescriptor, as name: FilePath, in directory: FileDescriptor
    ) throws(Errno) {
        _ = try world.perform(process, .call("linkat").making(.linkUnnamed(descriptor, as: name)), "links fd \(descriptor.rawValue) as \(name)") {
            (state) throws(Errno) in
            let parent = inode(directory, in: state)
            try requireChange(in: state)
            if defect == .publishesOverOthers { try? state.files.unlink(name.string, in: parent) }
            try state.files.link(inode(descriptor, in: state), as: name.string, in: parent)
            return true
        }
        payWhatIsOwed(descriptor)
    }

    package func close(_ descriptor: FileDescriptor) {
        if world.isGhost(process) { return }
        if world.state.processes[process].sockets[descriptor.rawValue] != nil { return closeSocket(descriptor) }
        let number = inode(descriptor, in: world.state)
        let isLocked =
            world.state.files.inodes[number]?.lockedBy == world.state.description(descriptor.rawValue, of: process)
        _ = try? world.perform(
            process, .call("close", isVisible: isLocked, canFail: false).making(.close(descriptor, inode: number, wasLocked: isLocked)),
            "closes fd \(descriptor.rawValue)"
        ) { (state) throws(Errno) in
            if isLocked, defect == .unlocksBeforeClosing { state.files.dropLock(number) }
            state.close(descriptor.rawValue, of: process)
            return true
        }
    }

    package func read(
        _ descriptor: FileDescriptor, into buffer: UnsafeMutableRawBufferPointer, at offset: Int64
    ) throws(Errno) -> Int {
        let count = buffer.count
        let bytes = isRemote ? try readRemotely(descriptor, at: Int(offset), count: count) : try world.perform(
            process, .call("read", isVisible: isShared(descriptor)).making(.read(descriptor)),
            "reads \(count) bytes of fd \(descriptor.rawValue)"
        ) { (state) throws(Errno) in
            let number = inode(descriptor, in: state)
            return remembered(number, in: state) ?? state.files.read(number, at: Int(offset), count: count)
        }
        // As many bytes as the buffer has room for, at most.
        unsafe buffer.copyBytes(from: bytes)
        return bytes.count
    }

    package func write(
        _ descriptor: FileDescriptor, from buffer: UnsafeRawBufferPointer, at offset: Int64
    ) throws(Errno) -> Int {
        let bytes = unsafe Array(buffer)
        if isRemote { return try writeRemotely(descriptor, bytes, at: Int(offset)) }
        if let count = try writeDefectively(bytes, descriptor, at: offset) { return count }
        return try world.perform(
            process, .call("write", isVisible: isShared(descriptor)).making(.write(descriptor, bytes, at: offset)),
            "writes \(bytes.count) bytes to fd \(descriptor.rawValue) at \(offset)"
        ) { (state) throws(Errno) in
            let number = inode(descriptor, in: state)
            state.files.write(number, bytes, at: Int(offset), now: state.wallClockNanoseconds(on: 0))
            return bytes.count
        }
    }

    package func status(of descriptor: FileDescriptor) throws(Errno) -> FileStatus {
        if isRemote, !isDirectory(descriptor) { return try statusRemotely(of: descriptor) }
        return try world.perform(
            process, .call("fstat", isVisible: isShared(descriptor)).making(.examine(descriptor)),
            "examines fd \(descriptor.rawValue)"
        ) { (state) throws(Errno) in
            state.files.status(of: inode(descriptor, in: state))
        }
    }

    package func status(
        of name: FilePath, in directory: FileDescriptor, followingLinks: Bool
    ) throws(Errno) -> FileStatus {
        if isRemote { return try statusRemotely(of: name) }
        return try world.perform(process, .call("stat").making(.look(name)), "examines \(name)") { (state) throws(Errno) in
            let parent = inode(directory, in: state)
            let number = believed(name, in: state) ?? state.files.inode(named: name.string, in: parent)
            guard let number else { throw .noSuchFileOrDirectory }
            return state.files.status(of: number)
        }
    }

    package func birthNanoseconds(of name: FilePath, in directory: FileDescriptor) -> Int64? {
        // Servers keep none that clients are told of.
        if isRemote { return nil }
        return world.read(process) { state in
            state.files.inode(named: name.string, in: inode(directory, in: state))
                .flatMap { state.files.inodes[$0]?.birthNanoseconds }
        } ?? nil
    }

    package func truncate(_ descriptor: FileDescriptor, toBytes length: Int64) throws(Errno) {
        if isRemote { return try truncateRemotely(descriptor, to: Int(length)) }
        _ = try world.perform(
            process, .call("truncate", isVisible: isShared(descriptor)).making(.cut(descriptor)),
            "cuts fd \(descriptor.rawValue) to \(length) bytes"
        ) { (state) throws(Errno) in
            state.files.truncate(
                inode(descriptor, in: state), to: Int(length), now: state.wallClockNanoseconds(on: 0))
            return true
        }
    }

    package func setPermissions(_ descriptor: FileDescriptor, _ permissions: FilePermissions) throws(Errno) {
        _ = world.read(process) { state in
            state.files.setPermissions(inode(descriptor, in: state), UInt32(permissions.rawValue))
            return true
        }
    }

    package func sync(_ descriptor: FileDescriptor) throws(Errno) {
        if isRemote, !isDirectory(descriptor) { try syncRemotely(descriptor) }
    }
    package func syncData(_ descriptor: FileDescriptor) throws(Errno) { try sync(descriptor) }

    // MARK: Names

    package func link(_ name: FilePath, as newName: FilePath, in directory: FileDescriptor) throws(Errno) {
        try give(.link(name, as: newName), "link", "links \(name) as \(newName)", newName) { (files, parent) throws(Errno) in
            if let error = files.refusals.link { throw error }
            guard let number = files.inode(named: name.string, in: parent) else { throw .noSuchFileOrDirectory }
            try files.link(number, as: newName.string, in: parent)
        }
    }

    package func rename(_ name: FilePath, to newName: FilePath, in directory: FileDescriptor) throws(Errno) {
        if defect == .removesInPlace, name.string == Scene.lockName { return try unlink(name, in: directory) }
        if isRemote { return try renameRemotely(name.string, to: newName.string, isExclusive: false) }
        try change(
            .rename(name, to: newName, isExclusive: false), "rename", "renames \(name) to \(newName)", [name, newName]
        ) { (files, parent) throws(Errno) in
            try files.rename(name.string, to: newName.string, in: parent, isExclusive: false)
        }
    }

    package func renameExclusively(
        _ name: FilePath, to newName: FilePath, in directory: FileDescriptor
    ) throws(Errno) {
        let isExclusive = defect != .publishesOverOthers
        try give(
            .rename(name, to: newName, isExclusive: true), "renameat2", "renames \(name) to \(newName), if that is free",
            newName
        ) {
            (files, parent) throws(Errno) in
            if let error = files.refusals.exclusiveRename { throw error }
            try files.rename(name.string, to: newName.string, in: parent, isExclusive: isExclusive)
        }
    }

    package func exchange(_ first: FilePath, _ second: FilePath, in directory: FileDescriptor) throws(Errno) {
        if isRemote { return try exchangeRemotely(first.string, second.string) }
        try change(.exchange(first, second), "exchange", "exchanges \(first) and \(second)", [first, second]) { (files, parent) throws(Errno) in
            if let error = files.refusals.exchange { throw error }
            try files.exchange(first.string, second.string, in: parent)
        }
    }

    package func unlink(_ name: FilePath, in directory: FileDescriptor) throws(Errno) {
        let isPrivate = name.string.hasPrefix(".rvf-")
        if isPrivate, defect == .leavesPrivateFiles || defect == .removesInPlace { return }
        if isRemote { return try unlinkRemotely(name.string) }
        try change(.unlink(name), "unlink", "removes \(name)", [name]) { (files, parent) throws(Errno) in
            try files.unlink(name.string, in: parent)
        }
    }

    /// Gives a name that may be taken.
    private func give(
        _ made: HostCall, _ call: String, _ text: String, _ name: FilePath,
        _ body: (inout SimulatedFileSystem, UInt64) throws(Errno) -> Void
    ) throws(Errno) {
        if isRemote { return try linkRemotely(call, text, as: name.string, body) }
        try change(made, call, text, [], body)
    }

    private func change(
        _ made: HostCall, _ call: String, _ text: String, _ names: [FilePath],
        _ body: (inout SimulatedFileSystem, UInt64) throws(Errno) -> Void
    ) throws(Errno) {
        _ = try world.perform(process, .call(call).making(made), text) { (state) throws(Errno) in
            try requireChange(of: names, in: state)
            try body(&state.files, state.sceneDirectory)
            return true
        }
    }

    // MARK: Locks

    package func tryLock(_ descriptor: FileDescriptor) throws(Errno) -> Bool {
        try world.perform(
            process, .call("flock", isVisible: isShared(descriptor)).making(.lock(descriptor)),
            "tries to lock fd \(descriptor.rawValue)"
        ) { (state) throws(Errno) in
            lock(descriptor, in: &state)
        }
    }

    package func fileSystemType(of descriptor: FileDescriptor) throws(Errno) -> FileSystemType {
        world.isGhost(process)
            ? FileSystemType(name: "none", guardMeaning: .remote) : world.state.files.type
    }

    package func lockingProcess(of file: FileIdentity) -> Int32? {
        world.read(process) { state in
            state.files.inodes[file.inode]?.lockedBy.map { state.processes[$0 >> 32].id }
        } ?? nil
    }
}
