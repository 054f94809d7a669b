package import RVFHost
package import SystemPackage

/// The system as a simulated process sees it. Not simulated, and reported as unsupported: sockets, watches, maps.
package struct SimulatedHost: Host {
    package let world: World
    package let process: Int
    /// What this process's system does wrong, on purpose.
    package var defect: Defect?

    init(world: World, process: Int) {
        self.world = world
        self.process = process
    }

    // MARK: Descriptors

    func inode(_ descriptor: FileDescriptor, in state: WorldState) -> UInt64 {
        guard let open = state.processes[process].descriptors[descriptor.rawValue] else {
            preconditionFailure("a descriptor that is not open: EBADF is a bug")
        }
        return open.inode
    }

    func install(_ inode: UInt64, isWritable: Bool, in state: inout WorldState) -> Int32 {
        var number: Int32 = 3
        while state.processes[process].descriptors[number] != nil { number += 1 }
        state.processes[process].descriptors[number] = WorldState.OpenFile(inode: inode, isWritable: isWritable)
        state.files.noteOpened(inode)
        return number
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

    package func checkWritable(_ directory: FileDescriptor) throws(Errno) {}

    package func resolve(_ path: FilePath) throws(Errno) -> FilePath { path }

    // MARK: Files

    package func open(
        _ name: FilePath, in directory: FileDescriptor, _ mode: FileDescriptor.AccessMode,
        options: FileDescriptor.OpenOptions, permissions: FilePermissions
    ) throws(Errno) -> FileDescriptor {
        let isDirectory = name.string == "."
        let number = try world.perform(process, .call("open", isVisible: !isDirectory).making(isDirectory ? .quiet : .open(name, isWritable: mode != .readOnly, creates: options.contains(.create))), "opens \(name)") {
            (state) throws(Errno) -> Int32 in
            let parent = inode(directory, in: state)
            if isDirectory { return install(parent, isWritable: false, in: &state) }
            if let found = state.files.inode(named: name.string, in: parent) {
                noteSeen(found, as: name, in: &state)
                if options.contains(.exclusiveCreate) { throw .fileExists }
                if mode != .readOnly, !state.files.mayWrite(found, userID) { throw .permissionDenied }
                return install(found, isWritable: mode != .readOnly, in: &state)
            }
            guard options.contains(.create) else { throw .noSuchFileOrDirectory }
            let made = makeFile(permissions, in: &state)
            try state.files.link(made, as: name.string, in: parent)
            return install(made, isWritable: true, in: &state)
        }
        return FileDescriptor(rawValue: number)
    }

    private func makeFile(_ permissions: FilePermissions, in state: inout WorldState) -> UInt64 {
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
            if defect == .publishesOverOthers { try? state.files.unlink(name.string, in: parent) }
            try state.files.link(inode(descriptor, in: state), as: name.string, in: parent)
            return true
        }
        payWhatIsOwed(descriptor)
    }

    package func close(_ descriptor: FileDescriptor) {
        if world.isGhost(process) { return }
        let number = inode(descriptor, in: world.state)
        let isLocked =
            world.state.files.inodes[number]?.lockedBy == WorldState.description(descriptor.rawValue, of: process)
        _ = try? world.perform(
            process, .call("close", isVisible: isLocked, canFail: false).making(.close(descriptor, inode: number, wasLocked: isLocked)),
            "closes fd \(descriptor.rawValue)"
        ) { (state) throws(Errno) in
            state.close(descriptor.rawValue, of: process)
            return true
        }
    }

    package func read(
        _ descriptor: FileDescriptor, into buffer: UnsafeMutableRawBufferPointer, at offset: Int64
    ) throws(Errno) -> Int {
        let count = buffer.count
        let bytes = try world.perform(
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
        try world.perform(
            process, .call("fstat", isVisible: isShared(descriptor)).making(.examine(descriptor)), "examines fd \(descriptor.rawValue)"
        ) { (state) throws(Errno) in
            state.files.status(of: inode(descriptor, in: state))
        }
    }

    package func status(
        of name: FilePath, in directory: FileDescriptor, followingLinks: Bool
    ) throws(Errno) -> FileStatus {
        try world.perform(process, .call("stat").making(.look(name)), "examines \(name)") { (state) throws(Errno) in
            let parent = inode(directory, in: state)
            let number = believed(name, in: state) ?? state.files.inode(named: name.string, in: parent)
            guard let number else { throw .noSuchFileOrDirectory }
            return state.files.status(of: number)
        }
    }

    package func birthNanoseconds(of name: FilePath, in directory: FileDescriptor) -> Int64? {
        world.read(process) { state in
            state.files.inode(named: name.string, in: inode(directory, in: state))
                .flatMap { state.files.inodes[$0]?.birthNanoseconds }
        } ?? nil
    }

    package func truncate(_ descriptor: FileDescriptor, toBytes length: Int64) throws(Errno) {
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

    package func copyMetadata(from source: FileDescriptor, to target: FileDescriptor) throws(Errno) {
        let permissions = try status(of: source).permissions
        try setPermissions(target, FilePermissions(rawValue: CModeT(permissions)))
    }

    package func availableBytes(on descriptor: FileDescriptor) throws(Errno) -> UInt64 { 1 << 40 }
    package func sync(_ descriptor: FileDescriptor) throws(Errno) {}
    package func syncData(_ descriptor: FileDescriptor) throws(Errno) {}
    package func map(_ descriptor: FileDescriptor, lengthBytes: Int) throws(Errno) -> Mapping { throw .notSupported }

    // MARK: Names

    package func link(_ name: FilePath, as newName: FilePath, in directory: FileDescriptor) throws(Errno) {
        try change(.link(name, as: newName), "link", "links \(name) as \(newName)", directory) { (files, parent) throws(Errno) in
            guard files.namesExclusively else { throw .notSupported }
            guard let number = files.inode(named: name.string, in: parent) else { throw .noSuchFileOrDirectory }
            try files.link(number, as: newName.string, in: parent)
        }
    }

    package func rename(_ name: FilePath, to newName: FilePath, in directory: FileDescriptor) throws(Errno) {
        if defect == .removesInPlace, name.string == Scene.lockName { return try unlink(name, in: directory) }
        try change(.rename(name, to: newName, isExclusive: false), "rename", "renames \(name) to \(newName)", directory) { (files, parent) throws(Errno) in
            try files.rename(name.string, to: newName.string, in: parent, isExclusive: false)
        }
    }

    package func renameExclusively(
        _ name: FilePath, to newName: FilePath, in directory: FileDescriptor
    ) throws(Errno) {
        let isExclusive = defect != .publishesOverOthers
        try change(.rename(name, to: newName, isExclusive: true), "renameat2", "renames \(name) to \(newName), if that is free", directory) {
            (files, parent) throws(Errno) in
            guard files.namesExclusively else { throw .notSupported }
            try files.rename(name.string, to: newName.string, in: parent, isExclusive: isExclusive)
        }
    }

    package func exchange(_ first: FilePath, _ second: FilePath, in directory: FileDescriptor) throws(Errno) {
        try change(.exchange(first, second), "exchange", "exchanges \(first) and \(second)", directory) { (files, parent) throws(Errno) in
            guard files.namesExclusively else { throw .notSupported }
            try files.exchange(first.string, second.string, in: parent)
        }
    }

    package func unlink(_ name: FilePath, in directory: FileDescriptor) throws(Errno) {
        let isPrivate = name.string.hasPrefix(".rvf-")
        if isPrivate, defect == .leavesPrivateFiles || defect == .removesInPlace { return }
        try change(.unlink(name), "unlink", "removes \(name)", directory) { (files, parent) throws(Errno) in
            try files.unlink(name.string, in: parent)
        }
    }

    private func change(
        _ made: HostCall, _ call: String, _ text: String, _ directory: FileDescriptor,
        _ body: (inout SimulatedFileSystem, UInt64) throws(Errno) -> Void
    ) throws(Errno) {
        _ = try world.perform(process, .call(call).making(made), text) { (state) throws(Errno) in
            try body(&state.files, inode(directory, in: state))
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

    package func markWaiter(on descriptor: FileDescriptor) {}
    package func waiterIsMarked(on descriptor: FileDescriptor) -> Bool { false }
}
