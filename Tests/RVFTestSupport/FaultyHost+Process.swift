public import RVFHost
public import SystemPackage

extension FaultyHost {
    // MARK: Locks

    public func tryLock(_ descriptor: FileDescriptor) throws(Errno) -> Bool {
        try script.check(.tryLock)
        let file = try base.status(of: descriptor).identity
        // See KnownGuards; the pauses are real.
        for _ in 0..<30 {
            if try base.tryLock(descriptor) {
                KnownGuards.add(descriptor.rawValue, file)
                return true
            }
            if KnownGuards.contains(file) || !script.settings.sleepsAreFake { return false }
            base.sleep(nanoseconds: 2_000_000)
        }
        return false
    }

    public func fileSystemType(of descriptor: FileDescriptor) throws(Errno) -> FileSystemType {
        try script.check(.fileSystemType)
        if let type = script.settings.fileSystemType { return type }
        return try base.fileSystemType(of: descriptor)
    }

    public func lockingProcess(of file: FileIdentity) -> Int32? {
        script.begin(.lockingProcess) == nil ? base.lockingProcess(of: file) : nil
    }

    public func markWaiter(on descriptor: FileDescriptor) { base.markWaiter(on: descriptor) }
    public func waiterIsMarked(on descriptor: FileDescriptor) -> Bool { base.waiterIsMarked(on: descriptor) }

    // MARK: Waiting

    public func watch(_ directory: FilePath, for events: WatchedEvents) throws(Errno) -> FileDescriptor {
        try script.check(.watch, directory)
        return script.opened(try base.watch(script.absolute(directory), for: events))
    }

    public func unwatch(_ watch: FileDescriptor) {
        script.closing(watch)
        base.unwatch(watch)
    }

    /// With fake sleeps: looks whether something has changed, and lets the whole time pass if not.
    public func awaitChange(
        _ watch: FileDescriptor, of names: [FilePath], timeoutNanoseconds: Int64
    ) throws(Errno) -> Bool {
        try script.check(.awaitChange)
        guard script.settings.sleepsAreFake else {
            return try base.awaitChange(watch, of: names, timeoutNanoseconds: timeoutNanoseconds)
        }
        if try base.awaitChange(watch, of: names, timeoutNanoseconds: 0) { return true }
        _ = script.sleepIsFaked(nanoseconds: timeoutNanoseconds)
        return false
    }

    public func sleep(nanoseconds: Int64) {
        _ = script.begin(.sleep)
        if !script.sleepIsFaked(nanoseconds: nanoseconds) { base.sleep(nanoseconds: nanoseconds) }
    }

    // MARK: Clocks and identity

    public func wallClockNanoseconds() -> Int64 {
        base.wallClockNanoseconds() &+ script.settings.wallOffsetNanoseconds
    }

    public func bootClockNanoseconds() -> Int64 {
        base.bootClockNanoseconds() &+ script.settings.bootOffsetNanoseconds
    }

    public func fillWithRandomBytes(_ buffer: UnsafeMutableRawBufferPointer) {
        unsafe base.fillWithRandomBytes(buffer)
    }

    public var processID: Int32 { script.settings.processID ?? base.processID }
    public var userID: UInt32 { script.settings.userID ?? base.userID }

    public func processState(_ process: Int32) -> ProcessState {
        _ = script.begin(.processState)
        return script.settings.processState?(process) ?? base.processState(process)
    }

    public func processDescription(_ process: Int32) -> ProcessDescription {
        base.processDescription(process)
    }

    public func environmentVariable(_ name: String) -> [UInt8]? {
        if let environment = script.settings.environment { return environment[name] }
        return base.environmentVariable(name)
    }

    public func hostName() -> [UInt8] { script.settings.hostName ?? base.hostName() }

    public func systemFile(_ path: FilePath) -> [UInt8]? {
        if let given = script.settings.systemFiles[path.string] { return given }
        return base.systemFile(path)
    }

    // MARK: Sockets

    public func listen(at path: FilePath) throws(Errno) -> FileDescriptor {
        try script.check(.listen, path)
        return script.opened(try base.listen(at: path))
    }

    public func accept(_ socket: FileDescriptor) throws(Errno) -> FileDescriptor {
        try script.check(.accept)
        return script.opened(try base.accept(socket))
    }

    public func connect(to path: FilePath) throws(Errno) -> FileDescriptor {
        try script.check(.connect, path)
        return script.opened(try base.connect(to: path))
    }

    public func peerUserID(_ socket: FileDescriptor) throws(Errno) -> UInt32 {
        try script.check(.peerUserID)
        return try base.peerUserID(socket)
    }

    public func send(
        _ socket: FileDescriptor, _ bytes: [UInt8], descriptors: [FileDescriptor]
    ) throws(Errno) -> Int {
        try script.check(.send)
        let part = Array(bytes.prefix(script.settings.mostBytesAtOnce ?? .max))
        return try base.send(socket, part, descriptors: descriptors)
    }

    public func receive(
        _ socket: FileDescriptor, atMostBytes limit: Int
    ) throws(Errno) -> (bytes: [UInt8], descriptors: [FileDescriptor]) {
        try script.check(.receive)
        let received = try base.receive(socket, atMostBytes: min(limit, script.settings.mostBytesAtOnce ?? .max))
        for descriptor in received.descriptors { _ = script.opened(descriptor) }
        return received
    }
}
