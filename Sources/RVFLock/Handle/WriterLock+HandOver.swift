import RVFHost
public import SystemPackage

/// How an attempted hand-over ended: the owner has become a non-owner, or is the owner still. There is no third
/// state to mistake.
public enum HandOverOutcome: ~Copyable, Sendable {
    /// The successor holds the lock; this process has nothing left of it.
    case handedOver
    /// The successor refused or died; the lock is held as before, and was never free. The text says why.
    case kept(WriterLock, because: String)
}

extension WriterLock {
    /// Hands the lock over to the process at the other end of a connected Unix socket, without an instant in which
    /// it is free: the kernel locks travel with the open files.
    ///
    /// For a child process, make a socket pair, let the child inherit one end, and call this with the other; a child
    /// that dies first then leaves nothing of the lock behind. Blocks until the successor confirms, refuses, or its
    /// end of the socket closes; never gives up on a timeout, since a successor that merely takes long may hold the
    /// lock by then. The socket stays the caller's to close.
    ///
    /// - Throws: ``LockError/lost(_:_:)`` if the lock turns out to be lost; it is released then.
    public consuming func handOver(over socket: FileDescriptor) throws(LockError) -> HandOverOutcome {
        let held = relinquish()
        RenewalTimer.shared.remove(held)
        switch try held.handOver(over: socket) {
        case .handedOver: return .handedOver
        case .kept(let why): return .kept(WriterLock(held), because: why)
        }
    }

    /// Waits at a Unix socket for one process of the same user, and hands the lock over to it.
    ///
    /// The socket file is made for its owner only, and removed again.
    public consuming func handOver(at socketPath: FilePath) throws(LockError) -> HandOverOutcome {
        let host = POSIXHost()
        let path = self.path
        let connection: FileDescriptor
        do throws(Errno) {
            let listener = try host.listen(at: socketPath)
            defer {
                host.close(listener)
                try? socketPath.withDirectory(of: host) { (directory, name) throws(Errno) in
                    try host.unlink(name, in: directory)
                }
            }
            connection = try host.accept(listener)
        } catch {
            return .kept(self, because: "\(LockError.system(.handOver, path, error))")
        }
        defer { host.close(connection) }
        return try handOver(over: connection)
    }

    /// Takes the lock that the process at the other end of a connected Unix socket hands over.
    ///
    /// - Throws: ``LockError/handOverFailed(_:_:)`` if what arrives is not the lock of this path; the predecessor
    ///   keeps it then. Close the socket after a failure.
    public static func adopt(
        protecting path: FilePath, over socket: FileDescriptor, options: LockOptions = LockOptions()
    ) throws(LockError) -> WriterLock {
        WriterLock(
            try HeldLock.adopt(
                host: POSIXHost(), registry: .shared, protecting: path, over: socket, options: options))
    }

    /// Connects to a process that waits in ``handOver(at:)``, and takes the lock from it.
    public static func adopt(
        protecting path: FilePath, from socketPath: FilePath, options: LockOptions = LockOptions()
    ) throws(LockError) -> WriterLock {
        let host = POSIXHost()
        let socket: FileDescriptor
        do throws(Errno) {
            socket = try host.connect(to: socketPath)
        } catch {
            throw .handOverFailed(path, "connecting to \(socketPath) failed: \(error)")
        }
        defer { host.close(socket) }
        return try adopt(protecting: path, over: socket, options: options)
    }
}

extension FilePath {
    /// Calls the body with the path's directory, open, and its last name.
    fileprivate func withDirectory(
        of host: POSIXHost, _ body: (FileDescriptor, FilePath) throws(Errno) -> Void
    ) throws(Errno) {
        guard let last = lastComponent else { throw .invalidArgument }
        let parent = removingLastComponent()
        let directory = try host.openDirectory(parent.isEmpty ? "." : parent)
        defer { host.close(directory) }
        try body(directory, FilePath(root: nil, [last]))
    }
}
