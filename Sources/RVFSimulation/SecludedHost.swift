package import RVFHost
package import SystemPackage

/// A simulated system with nothing around it. What it does not have is the same for all such systems: sockets, watches
/// and maps are refused, every path is absolute and no link, and nothing can be learnt of other processes.
package protocol SecludedHost: Host {}

extension SecludedHost {
    package func checkWritable(_ directory: FileDescriptor) throws(Errno) {}
    package func resolve(_ path: FilePath) throws(Errno) -> FilePath { path }

    package func copyMetadata(from source: FileDescriptor, to target: FileDescriptor) throws(Errno) {
        let permissions = try status(of: source).permissions
        try setPermissions(target, FilePermissions(rawValue: CModeT(permissions)))
    }

    package func availableBytes(on descriptor: FileDescriptor) throws(Errno) -> UInt64 { 1 << 40 }
    package func map(_ descriptor: FileDescriptor, lengthBytes: Int) throws(Errno) -> Mapping { throw .notSupported }

    package func markWaiter(on descriptor: FileDescriptor) {}
    package func waiterIsMarked(on descriptor: FileDescriptor) -> Bool { false }

    package func watch(_ directory: FilePath, for events: WatchedEvents) throws(Errno) -> FileDescriptor {
        throw .notSupported
    }

    package func unwatch(_ watch: FileDescriptor) {}

    package func awaitChange(
        _ watch: FileDescriptor, of names: [FilePath], timeoutNanoseconds: Int64
    ) throws(Errno) -> Bool {
        throw .notSupported
    }

    package func processDescription(_ id: Int32) -> ProcessDescription {
        ProcessDescription(command: nil, startedNanoseconds: nil)
    }

    package func environmentVariable(_ name: String) -> [UInt8]? { nil }
    package func systemFile(_ path: FilePath) -> [UInt8]? { nil }

    package func listen(at path: FilePath) throws(Errno) -> FileDescriptor { throw .notSupported }
    package func accept(_ socket: FileDescriptor) throws(Errno) -> FileDescriptor { throw .notSupported }
    package func connect(to path: FilePath) throws(Errno) -> FileDescriptor { throw .notSupported }
    package func peerUserID(_ socket: FileDescriptor) throws(Errno) -> UInt32 { throw .notSupported }

    package func send(
        _ socket: FileDescriptor, _ bytes: [UInt8], descriptors: [FileDescriptor]
    ) throws(Errno) -> Int {
        throw .notSupported
    }

    package func receive(
        _ socket: FileDescriptor, atMostBytes count: Int
    ) throws(Errno) -> (bytes: [UInt8], descriptors: [FileDescriptor]) {
        throw .notSupported
    }
}
