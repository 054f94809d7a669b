import RVFHost
import Synchronization
import SystemPackage

// Everything that a script has no say in goes to the real system as it is.
extension RecordingHost {
    var processID: Int32 { base.processID }
    var userID: UInt32 { base.userID }

    func openDirectory(_ path: FilePath) throws(Errno) -> FileDescriptor { try base.openDirectory(path) }
    func openDirectoryForReading(_ path: FilePath) throws(Errno) -> FileDescriptor {
        try base.openDirectoryForReading(path)
    }
    func names(in directory: FileDescriptor) throws(Errno) -> [FilePath.Component] { try base.names(in: directory) }
    func checkWritable(_ directory: FileDescriptor) throws(Errno) { try base.checkWritable(directory) }
    func resolve(_ path: FilePath) throws(Errno) -> FilePath { try base.resolve(path) }
    func open(
        _ name: FilePath, in directory: FileDescriptor, _ mode: FileDescriptor.AccessMode, options: FileDescriptor.OpenOptions, permissions: FilePermissions
    ) throws(Errno) -> FileDescriptor {
        try base.open(name, in: directory, mode, options: options, permissions: permissions)
    }
    func openUnnamed(in directory: FileDescriptor, permissions: FilePermissions) throws(Errno) -> FileDescriptor {
        try base.openUnnamed(in: directory, permissions: permissions)
    }
    func linkUnnamed(_ descriptor: FileDescriptor, as name: FilePath, in directory: FileDescriptor) throws(Errno) {
        try base.linkUnnamed(descriptor, as: name, in: directory)
    }
    func close(_ descriptor: FileDescriptor) { base.close(descriptor) }
    func status(of descriptor: FileDescriptor) throws(Errno) -> FileStatus { try base.status(of: descriptor) }
    func status(of name: FilePath, in directory: FileDescriptor, followingLinks: Bool) throws(Errno) -> FileStatus {
        try base.status(of: name, in: directory, followingLinks: followingLinks)
    }
    func birthNanoseconds(of name: FilePath, in directory: FileDescriptor) -> Int64? {
        base.birthNanoseconds(of: name, in: directory)
    }
    func truncate(_ descriptor: FileDescriptor, toBytes length: Int64) throws(Errno) {
        try base.truncate(descriptor, toBytes: length)
    }
    func setPermissions(_ descriptor: FileDescriptor, _ permissions: FilePermissions) throws(Errno) {
        try base.setPermissions(descriptor, permissions)
    }
    func copyMetadata(from source: FileDescriptor, to target: FileDescriptor) throws(Errno) {
        try base.copyMetadata(from: source, to: target)
    }
    func availableBytes(on descriptor: FileDescriptor) throws(Errno) -> UInt64 {
        try base.availableBytes(on: descriptor)
    }
    func link(_ name: FilePath, as newName: FilePath, in directory: FileDescriptor) throws(Errno) {
        try base.link(name, as: newName, in: directory)
    }
    func rename(_ name: FilePath, to newName: FilePath, in directory: FileDescriptor) throws(Errno) {
        try base.rename(name, to: newName, in: directory)
    }
    func renameExclusively(_ name: FilePath, to newName: FilePath, in directory: FileDescriptor) throws(Errno) {
        try base.renameExclusively(name, to: newName, in: directory)
    }
    func exchange(_ first: FilePath, _ second: FilePath, in directory: FileDescriptor) throws(Errno) {
        try base.exchange(first, second, in: directory)
    }
    func unlink(_ name: FilePath, in directory: FileDescriptor) throws(Errno) { try base.unlink(name, in: directory) }
    func tryLock(_ descriptor: FileDescriptor) throws(Errno) -> Bool { try base.tryLock(descriptor) }
    func fileSystemType(of descriptor: FileDescriptor) throws(Errno) -> FileSystemType {
        try base.fileSystemType(of: descriptor)
    }
    func lockingProcess(of file: FileIdentity) -> Int32? { base.lockingProcess(of: file) }
    func markWaiter(on descriptor: FileDescriptor) { base.markWaiter(on: descriptor) }
    func waiterIsMarked(on descriptor: FileDescriptor) -> Bool { base.waiterIsMarked(on: descriptor) }
    func watch(_ directory: FilePath, for events: WatchedEvents) throws(Errno) -> FileDescriptor {
        try base.watch(directory, for: events)
    }
    func unwatch(_ watch: FileDescriptor) { base.unwatch(watch) }
    func awaitChange(_ watch: FileDescriptor, of names: [FilePath], timeoutNanoseconds: Int64) throws(Errno) -> Bool {
        try base.awaitChange(watch, of: names, timeoutNanoseconds: timeoutNanoseconds)
    }
    func sleep(nanoseconds: Int64) { base.sleep(nanoseconds: nanoseconds) }
    func wallClockNanoseconds() -> Int64 { base.wallClockNanoseconds() }
    func bootClockNanoseconds() -> Int64 { base.bootClockNanoseconds() }
    func fillWithRandomBytes(_ buffer: UnsafeMutableRawBufferPointer) { unsafe base.fillWithRandomBytes(buffer) }
    func processState(_ process: Int32) -> ProcessState { base.processState(process) }
    func processDescription(_ process: Int32) -> ProcessDescription { base.processDescription(process) }
    func environmentVariable(_ name: String) -> [UInt8]? { base.environmentVariable(name) }
    func hostName() -> [UInt8] { base.hostName() }
    func systemFile(_ path: FilePath) -> [UInt8]? { base.systemFile(path) }
    func listen(at path: FilePath) throws(Errno) -> FileDescriptor { try base.listen(at: path) }
    func accept(_ socket: FileDescriptor) throws(Errno) -> FileDescriptor { try base.accept(socket) }
    func connect(to path: FilePath) throws(Errno) -> FileDescriptor { try base.connect(to: path) }
    func peerUserID(_ socket: FileDescriptor) throws(Errno) -> UInt32 { try base.peerUserID(socket) }
    func send(_ socket: FileDescriptor, _ bytes: [UInt8], descriptors: [FileDescriptor]) throws(Errno) -> Int {
        try base.send(socket, bytes, descriptors: descriptors)
    }
    func receive(
        _ socket: FileDescriptor, atMostBytes limit: Int
    ) throws(Errno) -> (bytes: [UInt8], descriptors: [FileDescriptor]) {
        try base.receive(socket, atMostBytes: limit)
    }
}
