package import SystemPackage

/// A call to the system, as whoever watches a simulated process sees it: which one, and on what.
package enum HostCall: Sendable {
    case open(FilePath, isWritable: Bool, creates: Bool)
    case openUnnamed
    case linkUnnamed(FileDescriptor, as: FilePath)
    case close(FileDescriptor, inode: UInt64, wasLocked: Bool)
    case read(FileDescriptor)
    case write(FileDescriptor, [UInt8], at: Int64)
    case examine(FileDescriptor)
    case cut(FileDescriptor)
    case lock(FileDescriptor)
    case look(FilePath)
    case link(FilePath, as: FilePath)
    case rename(FilePath, to: FilePath, isExclusive: Bool)
    case exchange(FilePath, FilePath)
    case unlink(FilePath)
    case list
    case sleep(nanoseconds: Int64)
    case askProcess(Int32)
    case send([UInt8], [FileDescriptor])
    /// On its own end of a pair of sockets.
    case receive(end: Int)
    /// What stands for a commit's last write.
    case commit
    case exit
    /// Nothing that has to do with the lock.
    case quiet
}
