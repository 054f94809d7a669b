public import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif
import CRVFShims

extension POSIXHost {
    public var processID: Int32 { getpid() }
    public var userID: UInt32 { geteuid() }

    public func sleep(nanoseconds: Int64) {
        guard nanoseconds > 0 else { return }
        let second: Int64 = 1_000_000_000
        var wanted = timespec(tv_sec: Int(nanoseconds / second), tv_nsec: Int(nanoseconds % second))
        var left = timespec()
        while unsafe nanosleep(&wanted, &left) != 0, errno == EINTR { wanted = left }
    }

    public func wallClockNanoseconds() -> Int64 { Self.clock(CLOCK_REALTIME) }

    static func clock(_ identifier: clockid_t) -> Int64 {
        var time = timespec()
        unsafe _ = clock_gettime(identifier, &time)
        return time.nanoseconds
    }

    public func fillWithRandomBytes(_ buffer: UnsafeMutableRawBufferPointer) {
        // Cryptographic, and different after a fork. It fails only for more than 256 bytes, which nobody here asks.
        let result = unsafe getentropy(buffer.baseAddress, buffer.count)
        precondition(result == 0, "getentropy failed")
    }

    public func environmentVariable(_ name: String) -> [UInt8]? {
        guard let value = unsafe getenv(name) else { return nil }
        return unsafe Array(UnsafeRawBufferPointer(start: value, count: strlen(value)))
    }

    public func hostName() -> [UInt8] {
        // Longer than HOST_NAME_MAX (64) of Linux and MAXHOSTNAMELEN (256) of macOS, so the NUL always fits.
        var buffer = [UInt8](repeating: 0, count: 512)
        let result = unsafe buffer.withUnsafeMutableBytes { bytes in
            unsafe gethostname(bytes.baseAddress!.assumingMemoryBound(to: CChar.self), bytes.count - 1)
        }
        return result == 0 ? Array(buffer.prefix { $0 != 0 }) : []
    }

    public func systemFile(_ path: FilePath) -> [UInt8]? {
        do throws(Errno) {
            return try Self.contents(of: path, atMostBytes: 4096)
        } catch {
            return nil
        }
    }

    /// The start of a file whose size the system does not tell in advance.
    static func contents(of path: FilePath, atMostBytes limit: Int) throws(Errno) -> [UInt8] {
        let file = try unsafe calling(path) { unsafe openat(AT_FDCWD, $0, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
        defer { _ = closeRaw(file) }
        var bytes = [UInt8](repeating: 0, count: limit)
        var filled = 0
        while filled < limit {
            let result: Result<Int, Errno> = unsafe bytes.withUnsafeMutableBytes { buffer in
                let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
                do throws(Errno) {
                    return .success(try retrying { unsafe Self.readRaw(file, rest.baseAddress, rest.count) })
                } catch {
                    return .failure(error)
                }
            }
            let count = try result.get()
            if count == 0 { break }
            filled += count
        }
        return Array(bytes.prefix(filled))
    }

    // MARK: Sockets

    public func listen(at path: FilePath) throws(Errno) -> FileDescriptor {
        FileDescriptor(rawValue: try unsafe calling(path) { unsafe rvf_socket_listen($0) })
    }

    public func accept(_ socket: FileDescriptor) throws(Errno) -> FileDescriptor {
        FileDescriptor(rawValue: try retrying { rvf_socket_accept(socket.rawValue) })
    }

    public func connect(to path: FilePath) throws(Errno) -> FileDescriptor {
        FileDescriptor(rawValue: try unsafe calling(path) { unsafe rvf_socket_connect($0) })
    }

    public func peerUserID(_ socket: FileDescriptor) throws(Errno) -> UInt32 {
        var user: UInt32 = 0
        _ = try retrying { unsafe rvf_socket_peer_user(socket.rawValue, &user) }
        return user
    }

    public func send(
        _ socket: FileDescriptor, _ bytes: [UInt8], descriptors: [FileDescriptor]
    ) throws(Errno) -> Int {
        let raw = descriptors.map(\.rawValue)
        return try retrying {
            unsafe bytes.withUnsafeBytes { buffer in
                unsafe rvf_send_descriptors(socket.rawValue, buffer.baseAddress, buffer.count, raw, Int32(raw.count))
            }
        }
    }

    public func receive(
        _ socket: FileDescriptor, atMostBytes limit: Int
    ) throws(Errno) -> (bytes: [UInt8], descriptors: [FileDescriptor]) {
        var bytes = [UInt8](repeating: 0, count: limit)
        var raw = [Int32](repeating: -1, count: 8)
        var count = Int32(raw.count)
        let received = try retrying {
            unsafe bytes.withUnsafeMutableBytes { buffer in
                count = Int32(raw.count)
                return unsafe rvf_receive_descriptors(
                    socket.rawValue, buffer.baseAddress, buffer.count, &raw, &count)
            }
        }
        return (Array(bytes.prefix(received)), raw.prefix(Int(count)).map { FileDescriptor(rawValue: $0) })
    }
}
