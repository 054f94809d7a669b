package import RVFHost
package import SystemPackage

/// Files, names and kernel locks of one file system, as a value: two worlds that have come to the same state are equal,
/// and a copy is a snapshot.
///
/// Not simulated: symbolic links, access rights other than that of writing to another user's file, quotas. Inode numbers are used again
/// at once, the lowest first, as ext4 does, so that identities that are remembered too long are found out.
package struct SimulatedFileSystem: Hashable, Sendable {
    package struct Inode: Hashable, Sendable {
        package var kind: FileStatus.Kind
        package var bytes: [UInt8] = []
        package var linkCount = 0
        /// Open file descriptions that lead here.
        package var openCount = 0
        package var permissions: UInt32
        package var owner: UInt32
        package var modifiedNanoseconds: Int64
        package var birthNanoseconds: Int64
        /// The open file description that has the exclusive lock.
        package var lockedBy: Int?
        /// A file can get its first name at any time, and no other once it has lost all names.
        package var hadName = false
        /// The process that made the file.
        package var maker: Int
    }

    package private(set) var inodes: [UInt64: Inode] = [:]
    /// By path, the inode numbers of directories.
    private var paths: [String: UInt64] = [:]
    /// By a directory's inode number.
    private var entries: [UInt64: [String: UInt64]] = [:]
    package let type: FileSystemType
    /// Whether files without a name can be made and linked.
    package let hasUnnamedFiles: Bool
    /// Whether a file can be linked, renamed without replacing, or exchanged.
    package var namesExclusively = true

    package static let device: UInt64 = 7

    package init(type: FileSystemType, hasUnnamedFiles: Bool = true) {
        self.type = type
        self.hasUnnamedFiles = hasUnnamedFiles
    }

    package mutating func makeDirectory(_ path: String) {
        let number = makeInode(.directory, permissions: 0o755, owner: 0, maker: 0, now: 0)
        inodes[number]?.linkCount = 2
        paths[path] = number
        entries[number] = [:]
    }

    // MARK: Looking

    package func directory(at path: String) throws(Errno) -> UInt64 {
        guard let number = paths[path] else { throw .noSuchFileOrDirectory }
        return number
    }

    package func names(in directory: UInt64) -> [String] {
        (entries[directory] ?? [:]).keys.sorted()
    }

    package func inode(named name: String, in directory: UInt64) -> UInt64? {
        entries[directory]?[name]
    }

    package func status(of number: UInt64) -> FileStatus {
        guard let inode = inodes[number] else { preconditionFailure("an inode that is in use is gone") }
        return FileStatus(
            identity: FileIdentity(device: Self.device, inode: number), kind: inode.kind,
            sizeBytes: Int64(inode.bytes.count), permissions: inode.permissions, linkCount: UInt64(inode.linkCount),
            owner: inode.owner, group: inode.owner, modifiedNanoseconds: inode.modifiedNanoseconds)
    }

    /// Whether a user may write to a file: his own, or one that all may write.
    package func mayWrite(_ number: UInt64, _ user: UInt32) -> Bool {
        guard let inode = inodes[number] else { return false }
        return inode.owner == user || inode.permissions & 0o002 != 0
    }

    // MARK: Bytes

    package func read(_ number: UInt64, at offset: Int, count: Int) -> [UInt8] {
        guard let bytes = inodes[number]?.bytes, offset < bytes.count else { return [] }
        return Array(bytes[offset..<min(bytes.count, offset + count)])
    }

    package mutating func write(_ number: UInt64, _ bytes: [UInt8], at offset: Int, now: Int64) {
        edit(number) { inode in
            if inode.bytes.count < offset + bytes.count {
                inode.bytes += [UInt8](repeating: 0, count: offset + bytes.count - inode.bytes.count)
            }
            inode.bytes.replaceSubrange(offset..<(offset + bytes.count), with: bytes)
            inode.modifiedNanoseconds = now
        }
    }

    package mutating func truncate(_ number: UInt64, to length: Int, now: Int64) {
        edit(number) { inode in
            if length < inode.bytes.count { inode.bytes.removeLast(inode.bytes.count - length) }
            inode.bytes += [UInt8](repeating: 0, count: length - inode.bytes.count)
            inode.modifiedNanoseconds = now
        }
    }

    package mutating func setPermissions(_ number: UInt64, _ permissions: UInt32) {
        edit(number) { $0.permissions = permissions }
    }

    // MARK: Names

    package mutating func makeFile(permissions: UInt32, owner: UInt32, maker: Int, now: Int64) -> UInt64 {
        makeInode(.regular, permissions: permissions, owner: owner, maker: maker, now: now)
    }

    package mutating func link(_ number: UInt64, as name: String, in directory: UInt64) throws(Errno) {
        if inode(named: name, in: directory) != nil { throw .fileExists }
        if let inode = inodes[number], inode.linkCount == 0, inode.hadName { throw .noSuchFileOrDirectory }
        entries[directory]?[name] = number
        edit(number) { inode in
            inode.linkCount += 1
            inode.hadName = true
        }
    }

    package mutating func unlink(_ name: String, in directory: UInt64) throws(Errno) {
        guard let number = entries[directory]?.removeValue(forKey: name) else { throw .noSuchFileOrDirectory }
        edit(number) { $0.linkCount -= 1 }
        forgetIfUnused(number)
    }

    package mutating func rename(
        _ name: String, to newName: String, in directory: UInt64, isExclusive: Bool
    ) throws(Errno) {
        guard let number = inode(named: name, in: directory) else { throw .noSuchFileOrDirectory }
        let replaced = inode(named: newName, in: directory)
        if isExclusive, replaced != nil { throw .fileExists }
        if replaced == number { return }
        entries[directory]?[name] = nil
        entries[directory]?[newName] = number
        guard let replaced else { return }
        edit(replaced) { $0.linkCount -= 1 }
        forgetIfUnused(replaced)
    }

    package mutating func exchange(_ first: String, _ second: String, in directory: UInt64) throws(Errno) {
        guard let left = inode(named: first, in: directory), let right = inode(named: second, in: directory)
        else { throw .noSuchFileOrDirectory }
        entries[directory]?[first] = right
        entries[directory]?[second] = left
    }

    // MARK: Open file descriptions and locks

    package mutating func noteOpened(_ number: UInt64) {
        edit(number) { $0.openCount += 1 }
    }

    /// The last reference to an open file description has gone, and with it its lock.
    package mutating func noteClosed(_ number: UInt64, description: Int) {
        edit(number) { inode in
            inode.openCount -= 1
            if inode.lockedBy == description { inode.lockedBy = nil }
        }
        forgetIfUnused(number)
    }

    package mutating func tryLock(_ number: UInt64, description: Int) -> Bool {
        let holder = inodes[number]?.lockedBy
        guard holder == nil || holder == description else { return false }
        edit(number) { $0.lockedBy = description }
        return true
    }

    package mutating func dropLock(_ number: UInt64) {
        edit(number) { $0.lockedBy = nil }
    }

    // MARK: Inodes

    private mutating func makeInode(
        _ kind: FileStatus.Kind, permissions: UInt32, owner: UInt32, maker: Int, now: Int64
    ) -> UInt64 {
        var number: UInt64 = 2
        while inodes[number] != nil { number += 1 }
        inodes[number] = Inode(
            kind: kind, permissions: permissions, owner: owner, modifiedNanoseconds: now, birthNanoseconds: now,
            maker: maker)
        return number
    }

    private mutating func edit(_ number: UInt64, _ body: (inout Inode) -> Void) {
        guard inodes[number] != nil else { preconditionFailure("an inode that is in use is gone") }
        body(&inodes[number]!)
    }

    private mutating func forgetIfUnused(_ number: UInt64) {
        if let inode = inodes[number], inode.linkCount == 0, inode.openCount == 0 { inodes[number] = nil }
    }
}
