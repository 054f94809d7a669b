public import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif
import CRVFShims

// Every call here that takes a pointer gets it from the caller's live buffer or from a path's own storage, for
// the duration of the call: that is what each `unsafe` in this file rests on.

extension POSIXHost {
    public func openDirectoryForReading(_ path: FilePath) throws(Errno) -> FileDescriptor {
        FileDescriptor(rawValue: try unsafe calling(path) { unsafe openat(AT_FDCWD, $0, O_RDONLY | O_DIRECTORY | O_CLOEXEC) })
    }

    public func names(in directory: FileDescriptor) throws(Errno) -> [FilePath.Component] {
        // A description of its own, so that the stream neither moves nor closes the caller's.
        let copy = try retrying { unsafe openat(directory.rawValue, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        guard let stream = unsafe fdopendir(copy) else {
            let error = lastErrno()
            _ = Self.closeRaw(copy)
            throw error
        }
        defer { unsafe _ = closedir(stream) }
        var names: [FilePath.Component] = []
        while true {
            errno = 0
            guard let entry = unsafe readdir(stream) else {
                if errno == 0 { return names }
                let error = lastErrno()
                if error == .interrupted { continue }
                throw error
            }
            if let name = unsafe Self.component(of: entry), name.kind == .regular { names.append(name) }
        }
    }

    private static func component(of entry: UnsafeMutablePointer<dirent>) -> FilePath.Component? {
        let start = unsafe UnsafeRawPointer(entry) + MemoryLayout<dirent>.offset(of: \.d_name)!
        return unsafe FilePath.Component(platformString: start.assumingMemoryBound(to: CChar.self))
    }

    public func checkWritable(_ directory: FileDescriptor) throws(Errno) {
        _ = try retrying { unsafe faccessat(directory.rawValue, ".", W_OK, AT_EACCESS) }
    }

    public func resolve(_ path: FilePath) throws(Errno) -> FilePath {
        let resolved: Result<FilePath, Errno> = unsafe path.withPlatformString { text in
            while true {
                if let absolute = unsafe realpath(text, nil) {
                    defer { unsafe free(absolute) }
                    return .success(unsafe FilePath(platformString: absolute))
                }
                let error = lastErrno()
                if error != .interrupted { return .failure(error) }
            }
        }
        return try resolved.get()
    }

    public func open(
        _ name: FilePath, in directory: FileDescriptor, _ mode: FileDescriptor.AccessMode,
        options: FileDescriptor.OpenOptions, permissions: FilePermissions
    ) throws(Errno) -> FileDescriptor {
        let flags = mode.rawValue | options.rawValue | O_CLOEXEC
        let raw = try unsafe calling(name) { unsafe openat(directory.rawValue, $0, flags, permissions.rawValue) }
        return FileDescriptor(rawValue: raw)
    }

    public func close(_ descriptor: FileDescriptor) {
        // Not repeated after EINTR: Linux has closed the descriptor by then, and its number may be in use again.
        if Self.closeRaw(descriptor.rawValue) != 0 { _ = lastErrno() }
    }

    public func read(
        _ descriptor: FileDescriptor, into buffer: UnsafeMutableRawBufferPointer, at offset: Int64
    ) throws(Errno) -> Int {
        try retrying { unsafe pread(descriptor.rawValue, buffer.baseAddress, buffer.count, off_t(offset)) }
    }

    public func write(
        _ descriptor: FileDescriptor, from buffer: UnsafeRawBufferPointer, at offset: Int64
    ) throws(Errno) -> Int {
        try retrying { unsafe pwrite(descriptor.rawValue, buffer.baseAddress, buffer.count, off_t(offset)) }
    }

    public func status(of descriptor: FileDescriptor) throws(Errno) -> FileStatus {
        var buffer = stat()
        _ = try retrying { unsafe fstat(descriptor.rawValue, &buffer) }
        return FileStatus(buffer)
    }

    public func status(
        of name: FilePath, in directory: FileDescriptor, followingLinks: Bool
    ) throws(Errno) -> FileStatus {
        var buffer = stat()
        let flags = followingLinks ? 0 : AT_SYMLINK_NOFOLLOW
        _ = try unsafe calling(name) { unsafe fstatat(directory.rawValue, $0, &buffer, flags) }
        return FileStatus(buffer)
    }

    public func birthNanoseconds(of name: FilePath, in directory: FileDescriptor) -> Int64? {
        var nanoseconds: Int64 = 0
        do throws(Errno) {
            _ = try unsafe calling(name) { unsafe rvf_birth_time(directory.rawValue, $0, &nanoseconds) }
        } catch {
            return nil
        }
        return nanoseconds == 0 ? nil : nanoseconds
    }

    public func truncate(_ descriptor: FileDescriptor, toBytes length: Int64) throws(Errno) {
        _ = try retrying { ftruncate(descriptor.rawValue, off_t(length)) }
    }

    public func setPermissions(_ descriptor: FileDescriptor, _ permissions: FilePermissions) throws(Errno) {
        _ = try retrying { fchmod(descriptor.rawValue, permissions.rawValue) }
    }

    public func availableBytes(on descriptor: FileDescriptor) throws(Errno) -> UInt64 {
        var buffer = statvfs()
        _ = try retrying { unsafe fstatvfs(descriptor.rawValue, &buffer) }
        let (bytes, overflow) = UInt64(buffer.f_bavail).multipliedReportingOverflow(by: UInt64(buffer.f_frsize))
        return overflow ? .max : bytes
    }

    public func map(_ descriptor: FileDescriptor, lengthBytes: Int) throws(Errno) -> Mapping {
        let address = unsafe mmap(nil, lengthBytes, PROT_READ, MAP_SHARED, descriptor.rawValue, 0)
        guard let address = unsafe address, unsafe address != MAP_FAILED else { throw lastErrno() }
        return unsafe Mapping(base: UnsafeRawPointer(address), byteCount: lengthBytes) {
            unsafe _ = munmap(UnsafeMutableRawPointer(mutating: $0), $1)
        }
    }

    // MARK: Names

    public func link(_ name: FilePath, as newName: FilePath, in directory: FileDescriptor) throws(Errno) {
        try unsafe pair(name, newName) { unsafe linkat(directory.rawValue, $0, directory.rawValue, $1, 0) }
    }

    public func rename(_ name: FilePath, to newName: FilePath, in directory: FileDescriptor) throws(Errno) {
        try unsafe pair(name, newName) { unsafe renameat(directory.rawValue, $0, directory.rawValue, $1) }
    }

    public func renameExclusively(_ name: FilePath, to newName: FilePath, in directory: FileDescriptor) throws(Errno) {
        try unsafe pair(name, newName) { unsafe rvf_rename_exclusive(directory.rawValue, $0, $1) }
    }

    public func exchange(_ first: FilePath, _ second: FilePath, in directory: FileDescriptor) throws(Errno) {
        try unsafe pair(first, second) { unsafe rvf_rename_exchange(directory.rawValue, $0, $1) }
    }

    public func unlink(_ name: FilePath, in directory: FileDescriptor) throws(Errno) {
        _ = try unsafe calling(name) { unsafe unlinkat(directory.rawValue, $0, 0) }
    }

    @inline(__always)
    private func pair(
        _ first: FilePath, _ second: FilePath, _ call: (UnsafePointer<CChar>, UnsafePointer<CChar>) -> Int32
    ) throws(Errno) {
        let result: Result<Void, Errno> = unsafe first.withPlatformString { firstText in
            do throws(Errno) {
                _ = try unsafe calling(second) { unsafe call(firstText, $0) }
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }

    // MARK: Locks

    public func tryLock(_ descriptor: FileDescriptor) throws(Errno) -> Bool {
        do throws(Errno) {
            _ = try retrying { flock(descriptor.rawValue, LOCK_EX | LOCK_NB) }
            return true
        } catch {
            if error == .wouldBlock { return false }
            throw error
        }
    }
}

extension FileStatus {
    init(_ buffer: stat) {
        let kind: Kind =
            switch buffer.st_mode & S_IFMT {
            case S_IFREG: .regular
            case S_IFDIR: .directory
            case S_IFLNK: .symbolicLink
            case S_IFIFO: .fifo
            case S_IFSOCK: .socket
            default: .device
            }
        self.init(
            identity: FileIdentity(device: UInt64(truncatingIfNeeded: buffer.st_dev), inode: UInt64(buffer.st_ino)),
            kind: kind,
            sizeBytes: Int64(buffer.st_size),
            permissions: UInt32(buffer.st_mode) & 0o7777,
            linkCount: UInt64(buffer.st_nlink),
            owner: buffer.st_uid,
            group: buffer.st_gid,
            modifiedNanoseconds: buffer.modificationTime.nanoseconds)
    }
}
