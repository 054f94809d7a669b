import RVFHost
import Synchronization
import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What a test can do to a process at one of its system calls, and to its clocks.
///
/// Safe to use from any thread.
final class Interference: Sendable {
    enum Action: Int { case kill, stop }

    // Calls still to let through; negative while nothing is armed.
    private let callsLeft = Atomic<Int>(-1)
    private let action = Atomic<Int>(Action.kill.rawValue)
    private let counted = Atomic<Int>(0)
    let bootOffset = Atomic<Int64>(0)
    let wallOffset = Atomic<Int64>(0)
    /// A waiter then sleeps until the file system has woken it once, and does not look by itself before.
    let waitsForWakingOnly = Atomic<Bool>(false)
    let wakings = Atomic<Int>(0)

    /// Lets `calls` calls pass and acts before the next one.
    func arm(_ action: Action, afterCalls calls: Int) {
        self.action.store(action.rawValue, ordering: .sequentiallyConsistent)
        callsLeft.store(calls, ordering: .sequentiallyConsistent)
    }

    func disarm() { callsLeft.store(-1, ordering: .sequentiallyConsistent) }

    var callCount: Int { counted.load(ordering: .relaxed) }

    /// Every call that reaches the file system, a socket or the scheduler comes through here first.
    func step() {
        counted.add(1, ordering: .relaxed)
        let left = callsLeft.load(ordering: .sequentiallyConsistent)
        guard left >= 0 else { return }
        callsLeft.store(left - 1, ordering: .sequentiallyConsistent)
        guard left == 0 else { return }
        if action.load(ordering: .relaxed) == Action.stop.rawValue {
            kill(getpid(), SIGSTOP)
        } else {
            kill(getpid(), SIGKILL)
            while true { pause() }
        }
    }
}

/// The real system, with a hook before every call that could be a process's last.
struct ProbeHost: Host {
    let interference: Interference
    private let base = POSIXHost()

    init(_ interference: Interference) { self.interference = interference }

    private var real: POSIXHost {
        interference.step()
        return base
    }

    func openDirectory(_ path: FilePath) throws(Errno) -> FileDescriptor { try real.openDirectory(path) }
    func openDirectoryForReading(_ path: FilePath) throws(Errno) -> FileDescriptor {
        try real.openDirectoryForReading(path)
    }
    func names(in directory: FileDescriptor) throws(Errno) -> [FilePath.Component] { try real.names(in: directory) }
    func checkWritable(_ directory: FileDescriptor) throws(Errno) { try real.checkWritable(directory) }
    func resolve(_ path: FilePath) throws(Errno) -> FilePath { try real.resolve(path) }

    func open(
        _ name: FilePath, in directory: FileDescriptor, _ mode: FileDescriptor.AccessMode,
        options: FileDescriptor.OpenOptions, permissions: FilePermissions
    ) throws(Errno) -> FileDescriptor {
        try real.open(name, in: directory, mode, options: options, permissions: permissions)
    }
    func openUnnamed(in directory: FileDescriptor, permissions: FilePermissions) throws(Errno) -> FileDescriptor {
        try real.openUnnamed(in: directory, permissions: permissions)
    }
    func linkUnnamed(
        _ descriptor: FileDescriptor, as name: FilePath, in directory: FileDescriptor
    ) throws(Errno) { try real.linkUnnamed(descriptor, as: name, in: directory) }
    func close(_ descriptor: FileDescriptor) { real.close(descriptor) }
    func read(
        _ descriptor: FileDescriptor, into buffer: UnsafeMutableRawBufferPointer, at offset: Int64
    ) throws(Errno) -> Int { try unsafe real.read(descriptor, into: buffer, at: offset) }
    func write(
        _ descriptor: FileDescriptor, from buffer: UnsafeRawBufferPointer, at offset: Int64
    ) throws(Errno) -> Int { try unsafe real.write(descriptor, from: buffer, at: offset) }
    func status(of descriptor: FileDescriptor) throws(Errno) -> FileStatus { try real.status(of: descriptor) }
    func status(
        of name: FilePath, in directory: FileDescriptor, followingLinks: Bool
    ) throws(Errno) -> FileStatus { try real.status(of: name, in: directory, followingLinks: followingLinks) }
    func birthNanoseconds(of name: FilePath, in directory: FileDescriptor) -> Int64? {
        real.birthNanoseconds(of: name, in: directory)
    }
    func truncate(_ descriptor: FileDescriptor, toBytes length: Int64) throws(Errno) {
        try real.truncate(descriptor, toBytes: length)
    }
    func setPermissions(_ descriptor: FileDescriptor, _ permissions: FilePermissions) throws(Errno) {
        try real.setPermissions(descriptor, permissions)
    }
    func copyMetadata(from source: FileDescriptor, to target: FileDescriptor) throws(Errno) {
        try real.copyMetadata(from: source, to: target)
    }
    func availableBytes(on descriptor: FileDescriptor) throws(Errno) -> UInt64 {
        try real.availableBytes(on: descriptor)
    }
    func sync(_ descriptor: FileDescriptor) throws(Errno) { try real.sync(descriptor) }
    func syncData(_ descriptor: FileDescriptor) throws(Errno) { try real.syncData(descriptor) }
    func map(_ descriptor: FileDescriptor, lengthBytes: Int) throws(Errno) -> Mapping {
        try real.map(descriptor, lengthBytes: lengthBytes)
    }
    func link(_ name: FilePath, as newName: FilePath, in directory: FileDescriptor) throws(Errno) {
        try real.link(name, as: newName, in: directory)
    }
    func rename(_ name: FilePath, to newName: FilePath, in directory: FileDescriptor) throws(Errno) {
        try real.rename(name, to: newName, in: directory)
    }
    func renameExclusively(_ name: FilePath, to newName: FilePath, in directory: FileDescriptor) throws(Errno) {
        try real.renameExclusively(name, to: newName, in: directory)
    }
    func exchange(_ first: FilePath, _ second: FilePath, in directory: FileDescriptor) throws(Errno) {
        try real.exchange(first, second, in: directory)
    }
    func unlink(_ name: FilePath, in directory: FileDescriptor) throws(Errno) {
        try real.unlink(name, in: directory)
    }
    func tryLock(_ descriptor: FileDescriptor) throws(Errno) -> Bool { try real.tryLock(descriptor) }
    func fileSystemType(of descriptor: FileDescriptor) throws(Errno) -> FileSystemType {
        try real.fileSystemType(of: descriptor)
    }
    func lockingProcess(of file: FileIdentity) -> Int32? { real.lockingProcess(of: file) }
    func markWaiter(on descriptor: FileDescriptor) { real.markWaiter(on: descriptor) }
    func waiterIsMarked(on descriptor: FileDescriptor) -> Bool { real.waiterIsMarked(on: descriptor) }

    func watch(_ directory: FilePath, for events: WatchedEvents) throws(Errno) -> FileDescriptor {
        try real.watch(directory, for: events)
    }
    func unwatch(_ watch: FileDescriptor) { real.unwatch(watch) }
    func awaitChange(
        _ watch: FileDescriptor, of names: [FilePath], timeoutNanoseconds: Int64
    ) throws(Errno) -> Bool {
        // Once woken it looks again by itself: the kernel tells of a close before it drops the lock.
        let wakingOnly =
            interference.waitsForWakingOnly.load(ordering: .relaxed) && interference.wakings.load(ordering: .relaxed) == 0
        // From here on whatever happens is queued, so a test may go on.
        if wakingOnly { Lines.say("asleep") }
        let timeout = wakingOnly ? Int64.max / 4 : timeoutNanoseconds
        let changed = try real.awaitChange(watch, of: names, timeoutNanoseconds: timeout)
        if changed { interference.wakings.add(1, ordering: .relaxed) }
        return changed
    }
    func sleep(nanoseconds: Int64) { real.sleep(nanoseconds: nanoseconds) }

    // Neither clocks nor identity change anything that another process sees: not counted.
    func wallClockNanoseconds() -> Int64 {
        base.wallClockNanoseconds() + interference.wallOffset.load(ordering: .relaxed)
    }
    func bootClockNanoseconds() -> Int64 {
        base.bootClockNanoseconds() + interference.bootOffset.load(ordering: .relaxed)
    }
    func fillWithRandomBytes(_ buffer: UnsafeMutableRawBufferPointer) { unsafe base.fillWithRandomBytes(buffer) }
    var processID: Int32 { base.processID }
    var userID: UInt32 { base.userID }
    func processState(_ process: Int32) -> ProcessState { real.processState(process) }
    func processDescription(_ process: Int32) -> ProcessDescription { real.processDescription(process) }
    func environmentVariable(_ name: String) -> [UInt8]? { base.environmentVariable(name) }
    func hostName() -> [UInt8] { base.hostName() }
    func systemFile(_ path: FilePath) -> [UInt8]? { real.systemFile(path) }

    func listen(at path: FilePath) throws(Errno) -> FileDescriptor { try real.listen(at: path) }
    func accept(_ socket: FileDescriptor) throws(Errno) -> FileDescriptor { try real.accept(socket) }
    func connect(to path: FilePath) throws(Errno) -> FileDescriptor { try real.connect(to: path) }
    func peerUserID(_ socket: FileDescriptor) throws(Errno) -> UInt32 { try real.peerUserID(socket) }
    func send(
        _ socket: FileDescriptor, _ bytes: [UInt8], descriptors: [FileDescriptor]
    ) throws(Errno) -> Int { try real.send(socket, bytes, descriptors: descriptors) }
    func receive(
        _ socket: FileDescriptor, atMostBytes count: Int
    ) throws(Errno) -> (bytes: [UInt8], descriptors: [FileDescriptor]) {
        try real.receive(socket, atMostBytes: count)
    }
}
