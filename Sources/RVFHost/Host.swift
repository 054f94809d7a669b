public import SystemPackage

/// Everything that this package asks of an operating system: one requirement per system call, so that the code
/// that ships also runs on a simulated system, and a test can fail or kill any single call.
///
/// Names are resolved relative to an open directory, so that neither a `chdir` nor a moved directory changes what
/// they mean. Calls that a signal interrupted are repeated by the host. EBADF and EFAULT are bugs of this package
/// and trap.
public protocol Host: Sendable {
    // MARK: Directories

    /// Opens a directory to resolve names in. Search permission is enough where the system allows it.
    func openDirectory(_ path: FilePath) throws(Errno) -> FileDescriptor
    /// Opens a directory so that ``sync(_:)`` and ``names(in:)`` work on it.
    func openDirectoryForReading(_ path: FilePath) throws(Errno) -> FileDescriptor
    /// The names in a directory that was opened for reading, `.` and `..` left out. Consumes no position of it.
    func names(in directory: FileDescriptor) throws(Errno) -> [FilePath.Component]
    /// Whether entries may be made and removed in the directory by this process (EACCES or EROFS if not).
    /// The corresponding C function is `faccessat`.
    func checkWritable(_ directory: FileDescriptor) throws(Errno)
    /// The absolute form of a path's directory, links resolved. The corresponding C function is `realpath`.
    func resolve(_ path: FilePath) throws(Errno) -> FilePath

    // MARK: Files

    /// The corresponding C function is `openat`; the descriptor is always close-on-exec.
    func open(
        _ name: FilePath, in directory: FileDescriptor, _ mode: FileDescriptor.AccessMode,
        options: FileDescriptor.OpenOptions, permissions: FilePermissions
    ) throws(Errno) -> FileDescriptor
    /// A file without a name in the directory's file system, gone at its last close unless ``linkUnnamed`` names it.
    func openUnnamed(in directory: FileDescriptor, permissions: FilePermissions) throws(Errno) -> FileDescriptor
    /// Gives an unnamed file its name; EEXIST where the name is taken.
    func linkUnnamed(_ descriptor: FileDescriptor, as name: FilePath, in directory: FileDescriptor) throws(Errno)
    /// The corresponding C function is `close`. An error other than EBADF is swallowed: the descriptor is gone, and
    /// there is nothing to do about it. What a sync took in is on the medium by then; of the rest nothing was promised,
    /// and only file systems that write at a close (NFS, FUSE) have an error to tell.
    func close(_ descriptor: FileDescriptor)
    /// Bytes read, 0 at the end. The corresponding C function is `pread`.
    func read(
        _ descriptor: FileDescriptor, into buffer: UnsafeMutableRawBufferPointer, at offset: Int64
    ) throws(Errno) -> Int
    /// Bytes written, perhaps fewer than given. The corresponding C function is `pwrite`.
    func write(
        _ descriptor: FileDescriptor, from buffer: UnsafeRawBufferPointer, at offset: Int64
    ) throws(Errno) -> Int
    /// The corresponding C function is `fstat`.
    func status(of descriptor: FileDescriptor) throws(Errno) -> FileStatus
    /// The corresponding C function is `fstatat`.
    func status(
        of name: FilePath, in directory: FileDescriptor, followingLinks: Bool
    ) throws(Errno) -> FileStatus
    /// What has a name, and how long an open file is, without a look at the times. On Linux (6.13 and later) a look at
    /// a file's times makes the next write store new ones, which the sync after it then has to write. The corresponding
    /// C functions are `statx` and `lseek`; a host that does not care takes them from the whole status.
    func identity(
        of name: FilePath, in directory: FileDescriptor, followingLinks: Bool
    ) throws(Errno) -> FileIdentity
    func sizeBytes(of descriptor: FileDescriptor) throws(Errno) -> Int64
    /// Nanoseconds since 1970 at which the file came to be; nil where the file system does not tell.
    func birthNanoseconds(of name: FilePath, in directory: FileDescriptor) -> Int64?
    /// The corresponding C function is `ftruncate`.
    func truncate(_ descriptor: FileDescriptor, toBytes length: Int64) throws(Errno)
    /// The corresponding C function is `fchmod`.
    func setPermissions(_ descriptor: FileDescriptor, _ permissions: FilePermissions) throws(Errno)
    /// Gives a file the mode, the extended attributes and the access control list of another one, and its owner and
    /// group as far as this process may. What only the system or an administrator may set is left out silently.
    func copyMetadata(from source: FileDescriptor, to target: FileDescriptor) throws(Errno)
    /// Bytes that this process can still write in the file's file system. The corresponding C function is `fstatvfs`.
    func availableBytes(on descriptor: FileDescriptor) throws(Errno) -> UInt64
    /// Makes a file's bytes, or a directory's entries, durable. The corresponding C function is `fsync`
    /// (macOS: `fcntl` with F_FULLFSYNC, since `fsync` there leaves the drive's cache alone).
    func sync(_ descriptor: FileDescriptor) throws(Errno)
    /// Makes a file's bytes and length durable, not its times. The corresponding C function is `fdatasync`.
    func syncData(_ descriptor: FileDescriptor) throws(Errno)

    /// Maps the first bytes of a file for reading, shared with whoever writes it; ENOTSUP where it cannot be
    /// mapped. The corresponding C function is `mmap`.
    func map(_ descriptor: FileDescriptor, lengthBytes: Int) throws(Errno) -> Mapping

    // MARK: Names

    /// The corresponding C function is `linkat`; EEXIST where the new name is taken.
    func link(_ name: FilePath, as newName: FilePath, in directory: FileDescriptor) throws(Errno)
    /// The corresponding C function is `renameat`; replaces what has the new name.
    func rename(_ name: FilePath, to newName: FilePath, in directory: FileDescriptor) throws(Errno)
    /// The corresponding C function is `renameat2` (macOS: `renameatx_np`); EEXIST where the new name is taken.
    func renameExclusively(_ name: FilePath, to newName: FilePath, in directory: FileDescriptor) throws(Errno)
    /// Swaps two names. The corresponding C function is `renameat2` (macOS: `renameatx_np`).
    func exchange(_ first: FilePath, _ second: FilePath, in directory: FileDescriptor) throws(Errno)
    /// The corresponding C function is `unlinkat`.
    func unlink(_ name: FilePath, in directory: FileDescriptor) throws(Errno)

    // MARK: Locks

    /// Tries for an exclusive lock on the open file; false where somebody has it. Never waits.
    /// The corresponding C function is `flock`.
    func tryLock(_ descriptor: FileDescriptor) throws(Errno) -> Bool
    /// The corresponding C function is `fstatfs`.
    func fileSystemType(of descriptor: FileDescriptor) throws(Errno) -> FileSystemType
    /// The process that took a whole-file kernel lock on this file, where the system lists such locks
    /// (Linux: `/proc/locks`). Nil proves nothing.
    func lockingProcess(of file: FileIdentity) -> Int32?
    /// Leaves a mark on the open file that ``waiterIsMarked(on:)`` in other processes sees, until it is closed.
    func markWaiter(on descriptor: FileDescriptor)
    /// Whether somebody else left such a mark; false where the system cannot tell.
    func waiterIsMarked(on descriptor: FileDescriptor) -> Bool

    // MARK: Waiting

    /// Begins to collect changes of entries in a directory; read by ``awaitChange(_:of:timeoutNanoseconds:)``,
    /// ended by ``unwatch(_:)``. Throws ENOTSUP where the system cannot tell.
    func watch(_ directory: FilePath, for events: WatchedEvents) throws(Errno) -> FileDescriptor
    func unwatch(_ watch: FileDescriptor)
    /// Waits until one of the names changed or the time is over; true for a change, also one since the last call.
    func awaitChange(
        _ watch: FileDescriptor, of names: [FilePath], timeoutNanoseconds: Int64
    ) throws(Errno) -> Bool
    /// Lets at least this much time pass.
    func sleep(nanoseconds: Int64)

    // MARK: Clocks and identity

    /// Nanoseconds since 1970; may step either way.
    func wallClockNanoseconds() -> Int64
    /// Nanoseconds on a clock that never steps and counts while the machine sleeps.
    func bootClockNanoseconds() -> Int64
    func fillWithRandomBytes(_ buffer: UnsafeMutableRawBufferPointer)
    var processID: Int32 { get }
    /// The user whose permissions count. The corresponding C function is `geteuid`.
    var userID: UInt32 { get }
    func processState(_ process: Int32) -> ProcessState
    func processDescription(_ process: Int32) -> ProcessDescription
    /// The bytes of an environment variable, nil where it is not set.
    func environmentVariable(_ name: String) -> [UInt8]?
    /// The kernel's name of this host. The corresponding C function is `gethostname`.
    func hostName() -> [UInt8]
    /// The start of a small system file such as `/etc/hostname`; nil where it cannot be read.
    func systemFile(_ path: FilePath) -> [UInt8]?

    // MARK: Sockets

    /// A Unix socket at a path, for the owner only, waiting for one connection.
    func listen(at path: FilePath) throws(Errno) -> FileDescriptor
    func accept(_ socket: FileDescriptor) throws(Errno) -> FileDescriptor
    func connect(to path: FilePath) throws(Errno) -> FileDescriptor
    /// The user at the other end of a Unix socket.
    func peerUserID(_ socket: FileDescriptor) throws(Errno) -> UInt32
    /// Sends bytes and, with the first of them, open descriptors; the number of bytes sent.
    func send(
        _ socket: FileDescriptor, _ bytes: [UInt8], descriptors: [FileDescriptor]
    ) throws(Errno) -> Int
    /// Waits for bytes; an empty array at the end of the stream. Descriptors that came along are close-on-exec.
    func receive(
        _ socket: FileDescriptor, atMostBytes count: Int
    ) throws(Errno) -> (bytes: [UInt8], descriptors: [FileDescriptor])
}

extension Host {
    public func identity(
        of name: FilePath, in directory: FileDescriptor, followingLinks: Bool
    ) throws(Errno) -> FileIdentity {
        try status(of: name, in: directory, followingLinks: followingLinks).identity
    }

    public func sizeBytes(of descriptor: FileDescriptor) throws(Errno) -> Int64 {
        try status(of: descriptor).sizeBytes
    }
}

/// What a directory watch reports.
public struct WatchedEvents: OptionSet, Sendable {
    public var rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// A name went, or a file that was open for writing was closed: what can end a lock.
    public static let endings = WatchedEvents(rawValue: 1)
    /// Bytes of a file changed: what a commit shows.
    public static let modifications = WatchedEvents(rawValue: 2)
}
