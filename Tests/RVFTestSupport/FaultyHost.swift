public import RVFHost
public import SystemPackage

/// A host that does what its base does, unless its script says otherwise: the seam at which tests fail, disturb and
/// deceive the code above, one call at a time.
///
/// Use one per simulated process, each with a `LockRegistry` of its own. Copies share the script.
public struct FaultyHost<Base: Host>: Host {
    public let base: Base
    public let script: HostScript

    public init(base: Base, script: HostScript = HostScript()) {
        self.base = base
        self.script = script
    }

    // MARK: Directories

    public func openDirectory(_ path: FilePath) throws(Errno) -> FileDescriptor {
        try script.check(.openDirectory, path)
        return script.opened(try base.openDirectory(script.absolute(path)))
    }

    public func openDirectoryForReading(_ path: FilePath) throws(Errno) -> FileDescriptor {
        try script.check(.openDirectoryForReading, path)
        return script.opened(try base.openDirectoryForReading(script.absolute(path)))
    }

    public func names(in directory: FileDescriptor) throws(Errno) -> [FilePath.Component] {
        try script.check(.names)
        return try base.names(in: directory)
    }

    public func checkWritable(_ directory: FileDescriptor) throws(Errno) {
        try script.check(.checkWritable)
        try base.checkWritable(directory)
    }

    public func resolve(_ path: FilePath) throws(Errno) -> FilePath {
        try script.check(.resolve, path)
        return try base.resolve(script.absolute(path))
    }

    // MARK: Files

    public func open(
        _ name: FilePath, in directory: FileDescriptor, _ mode: FileDescriptor.AccessMode,
        options: FileDescriptor.OpenOptions, permissions: FilePermissions
    ) throws(Errno) -> FileDescriptor {
        try script.check(.open, name, mode: mode)
        return script.opened(try base.open(name, in: directory, mode, options: options, permissions: permissions))
    }

    public func openUnnamed(
        in directory: FileDescriptor, permissions: FilePermissions
    ) throws(Errno) -> FileDescriptor {
        try script.check(.openUnnamed)
        return script.opened(try base.openUnnamed(in: directory, permissions: permissions))
    }

    public func linkUnnamed(
        _ descriptor: FileDescriptor, as name: FilePath, in directory: FileDescriptor
    ) throws(Errno) {
        try script.check(.linkUnnamed, name)
        try base.linkUnnamed(descriptor, as: name, in: directory)
    }

    public func close(_ descriptor: FileDescriptor) {
        _ = script.begin(.close)
        script.closing(descriptor)
        base.close(descriptor)
    }

    public func read(
        _ descriptor: FileDescriptor, into buffer: UnsafeMutableRawBufferPointer, at offset: Int64
    ) throws(Errno) -> Int {
        try script.check(.read)
        let count = script.byteCount(of: buffer.count)
        // Within the caller's live buffer.
        let part = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
        return try unsafe base.read(descriptor, into: part, at: offset)
    }

    public func write(
        _ descriptor: FileDescriptor, from buffer: UnsafeRawBufferPointer, at offset: Int64
    ) throws(Errno) -> Int {
        try script.check(.write)
        let count = script.byteCount(of: buffer.count)
        // Within the caller's live buffer.
        let part = unsafe UnsafeRawBufferPointer(rebasing: buffer[..<count])
        return try unsafe base.write(descriptor, from: part, at: offset)
    }

    public func status(of descriptor: FileDescriptor) throws(Errno) -> FileStatus {
        try script.check(.status)
        return try base.status(of: descriptor)
    }

    public func status(
        of name: FilePath, in directory: FileDescriptor, followingLinks: Bool
    ) throws(Errno) -> FileStatus {
        try script.check(.statusOfName, name)
        return try base.status(of: name, in: directory, followingLinks: followingLinks)
    }

    public func birthNanoseconds(of name: FilePath, in directory: FileDescriptor) -> Int64? {
        base.birthNanoseconds(of: name, in: directory)
    }

    public func truncate(_ descriptor: FileDescriptor, toBytes length: Int64) throws(Errno) {
        try script.check(.truncate)
        try base.truncate(descriptor, toBytes: length)
    }

    public func setPermissions(_ descriptor: FileDescriptor, _ permissions: FilePermissions) throws(Errno) {
        try script.check(.setPermissions)
        try base.setPermissions(descriptor, permissions)
    }

    public func copyMetadata(from source: FileDescriptor, to target: FileDescriptor) throws(Errno) {
        try script.check(.copyMetadata)
        try base.copyMetadata(from: source, to: target)
    }

    public func availableBytes(on descriptor: FileDescriptor) throws(Errno) -> UInt64 {
        try script.check(.availableBytes)
        let actual = try base.availableBytes(on: descriptor)
        return min(actual, script.settings.mostAvailableBytes ?? .max)
    }

    public func sync(_ descriptor: FileDescriptor) throws(Errno) {
        let status = try base.status(of: descriptor)
        try script.check(.sync, directory: status.kind == .directory ? status.identity : nil)
        try base.sync(descriptor)
    }

    public func syncData(_ descriptor: FileDescriptor) throws(Errno) {
        try script.check(.syncData)
        try base.syncData(descriptor)
    }

    public func map(_ descriptor: FileDescriptor, lengthBytes: Int) throws(Errno) -> Mapping {
        try script.check(.map)
        return try base.map(descriptor, lengthBytes: lengthBytes)
    }

    // MARK: Names

    public func link(_ name: FilePath, as newName: FilePath, in directory: FileDescriptor) throws(Errno) {
        try script.check(.link, name)
        try base.link(name, as: newName, in: directory)
    }

    public func rename(_ name: FilePath, to newName: FilePath, in directory: FileDescriptor) throws(Errno) {
        try script.check(.rename, name)
        try base.rename(name, to: newName, in: directory)
    }

    public func renameExclusively(
        _ name: FilePath, to newName: FilePath, in directory: FileDescriptor
    ) throws(Errno) {
        try script.check(.renameExclusively, name)
        try base.renameExclusively(name, to: newName, in: directory)
    }

    public func exchange(_ first: FilePath, _ second: FilePath, in directory: FileDescriptor) throws(Errno) {
        try script.check(.exchange, first)
        try base.exchange(first, second, in: directory)
    }

    public func unlink(_ name: FilePath, in directory: FileDescriptor) throws(Errno) {
        try script.check(.unlink, name)
        try base.unlink(name, in: directory)
    }
}
