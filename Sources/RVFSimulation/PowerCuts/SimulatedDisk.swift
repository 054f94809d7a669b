import RVFHost
package import SystemPackage

/// A directory as processes see it, through the page cache, and what of it is on the medium.
package struct SimulatedDisk: Sendable {
    package private(set) var files: SimulatedFileSystem
    package private(set) var medium = Medium()
    /// By inode: the file on the medium. Inodes are used again, files are not.
    private var fileOfInode: [UInt64: Int] = [:]
    package let directory: UInt64

    package init(_ image: DiskImage = DiskImage([:]), hasUnnamedFiles: Bool = true, nowNanoseconds now: Int64 = 0) {
        files = SimulatedFileSystem(
            type: FileSystemType(name: "simulated", guardMeaning: .coherent), hasUnnamedFiles: hasUnnamedFiles)
        files.makeDirectory(Scene.directory)
        guard let directory = try? files.directory(at: Scene.directory) else {
            preconditionFailure("the directory was made just now")
        }
        self.directory = directory
        for (name, bytes) in image.files.sorted(by: { $0.key < $1.key }) {
            let inode = makeFile(permissions: 0o644, now: now)
            write(inode, bytes, at: 0, now: now)
            // Names of a dictionary differ.
            try? link(inode, as: name)
            sync(inode)
        }
        syncNames()
    }

    /// The inode at a name.
    package func inode(named name: String) -> UInt64? { files.inode(named: name, in: directory) }

    private func file(_ inode: UInt64) -> Int {
        guard let file = fileOfInode[inode] else { preconditionFailure("every file is on the medium, if with no byte") }
        return file
    }

    // MARK: Bytes

    package mutating func makeFile(permissions: UInt32, now: Int64) -> UInt64 {
        let inode = files.makeFile(permissions: permissions, owner: DiskHost.user, maker: 0, now: now)
        fileOfInode[inode] = medium.makeFile()
        return inode
    }

    package mutating func write(_ inode: UInt64, _ bytes: [UInt8], at offset: Int, now: Int64) {
        files.write(inode, bytes, at: offset, now: now)
        medium.add(.write(file: file(inode), offset: offset, bytes: bytes))
    }

    package mutating func truncate(_ inode: UInt64, to byteCount: Int, now: Int64) {
        files.truncate(inode, to: byteCount, now: now)
        medium.add(.truncate(file: file(inode), byteCount: byteCount))
    }

    package mutating func setPermissions(_ inode: UInt64, _ permissions: UInt32) {
        files.setPermissions(inode, permissions)
    }

    /// - Parameter lengths: see ``Medium/sync(_:lengths:)``.
    package mutating func sync(_ inode: UInt64, lengths: Bool = true) {
        medium.sync(file(inode), lengths: lengths)
    }

    // MARK: For defects

    /// Makes only a file's first unsynced changes durable.
    mutating func sync(_ inode: UInt64, first count: Int) {
        medium.sync(file(inode), first: count)
    }

    /// Gives a file a name on the medium alone.
    mutating func nameEarly(_ inode: UInt64, as name: String) {
        medium.add(.names([Medium.Name(name: name, file: file(inode))]))
    }

    func pendingCount(of inode: UInt64) -> Int {
        let file = file(inode)
        return medium.pending.count { $0.file == file }
    }

    func lastChange(of inode: UInt64) -> Medium.Change? {
        let file = file(inode)
        return medium.pending.last { $0.file == file }
    }

    // MARK: Names

    package mutating func link(_ inode: UInt64, as name: String) throws(Errno) {
        try files.link(inode, as: name, in: directory)
        medium.add(.names([Medium.Name(name: name, file: file(inode))]))
    }

    package mutating func unlink(_ name: String) throws(Errno) {
        let inode = inode(named: name)
        try files.unlink(name, in: directory)
        medium.add(.names([Medium.Name(name: name)]))
        if let inode { forgetIfGone(inode) }
    }

    package mutating func rename(_ name: String, to newName: String, isExclusive: Bool) throws(Errno) {
        let (moved, replaced) = (inode(named: name), inode(named: newName))
        try files.rename(name, to: newName, in: directory, isExclusive: isExclusive)
        guard let moved else { return }
        medium.add(.names([Medium.Name(name: name), Medium.Name(name: newName, file: file(moved))]))
        if let replaced { forgetIfGone(replaced) }
    }

    package mutating func exchange(_ first: String, _ second: String) throws(Errno) {
        guard let left = inode(named: first), let right = inode(named: second) else { throw .noSuchFileOrDirectory }
        try files.exchange(first, second, in: directory)
        medium.add(
            .names([Medium.Name(name: first, file: file(right)), Medium.Name(name: second, file: file(left))]))
    }

    package mutating func syncNames() {
        medium.syncNames()
        // A file that is open can get a name yet.
        let used = Set(fileOfInode.values)
        for file in 0..<medium.contents.count where !used.contains(file) { medium.forgetIfUnreachable(file) }
    }

    // MARK: Open file descriptions and locks

    package mutating func noteOpened(_ inode: UInt64) {
        files.noteOpened(inode)
    }

    package mutating func noteClosed(_ inode: UInt64, description: Int) {
        files.noteClosed(inode, description: description)
        forgetIfGone(inode)
    }

    package mutating func tryLock(_ inode: UInt64, description: Int) -> Bool {
        files.tryLock(inode, description: description)
    }

    private mutating func forgetIfGone(_ inode: UInt64) {
        guard files.inodes[inode] == nil, let file = fileOfInode.removeValue(forKey: inode) else { return }
        medium.forgetIfUnreachable(file)
    }
}
