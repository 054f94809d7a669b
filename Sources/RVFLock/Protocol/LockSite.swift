import CZlib
package import RVFHost
package import SystemPackage

/// Where a lock lives: an open directory, and the names in it of the protected file and of its lock file.
///
/// Everything is done relative to the open directory, so that a later `chdir` or a moved directory does not change
/// which files are meant. Owns the directory's descriptor.
package final class LockSite<H: Host>: Sendable {
    package let host: H
    /// The protected file as the caller named it, for messages.
    package let path: FilePath
    package let directory: FileDescriptor
    package let directoryIdentity: FileIdentity
    package let dataName: FilePath
    package let lockName: FilePath
    /// The directory's path as given, relative to the working directory of then.
    package let directoryPath: FilePath
    /// Whether the system may believe for a while that names lead where they led.
    private let remembersNames: Bool

    package init(host: H, path: FilePath) throws(LockError) {
        guard let last = path.lastComponent, last.kind == .regular else { throw .invalidPath(path) }
        let parent = path.removingLastComponent()
        self.host = host
        self.path = path
        directoryPath = parent.isEmpty ? "." : parent
        dataName = FilePath(root: nil, [last])
        lockName = Self.appending(".lock", to: dataName)
        do throws(Errno) {
            directory = try host.openDirectory(directoryPath)
        } catch {
            throw .system(.openDirectory, path, error)
        }
        do throws(Errno) {
            directoryIdentity = try host.status(of: directory).identity
        } catch {
            host.close(directory)
            throw .system(.openDirectory, path, error)
        }
        // Where it cannot be told, looking twice does no harm.
        remembersNames = (try? host.fileSystemType(of: directory).guardMeaning) ?? .remote == .remote
    }

    deinit {
        host.close(directory)
    }

    /// The directory once more, to list or to sync it: through the open one, since its path may lead elsewhere after
    /// a `chdir`. The caller closes it.
    package func openDirectoryForReading() throws(Errno) -> FileDescriptor {
        try host.open(".", in: directory, .readOnly, options: [.directory], permissions: [])
    }

    /// Makes the names in the directory durable. Where the file system cannot sync a directory, or this user may not open
    /// it for that, there is no more to be done about it, and no failure.
    package func syncDirectory(_ operation: LockError.Operation) throws(LockError) {
        do throws(Errno) {
            let open = try openDirectoryForReading()
            defer { host.close(open) }
            try host.sync(open)
        } catch {
            switch error {
            case .permissionDenied, .notPermitted, .invalidArgument, .notSupported, .notSupportedOnSocket, .noFunction: return
            default: throw .system(operation, path, error)
            }
        }
    }

    // MARK: Private files

    /// The start of the names that files of this lock bear before they are published and after they are put
    /// aside: short whatever the lock's name, and its own as far as a CRC goes.
    package var privatePrefix: String { String(decoding: privatePrefixBytes, as: UTF8.self) }

    private var privatePrefixBytes: [UInt8] {
        let checksum = unsafe lockName.withPlatformString { text in
            unsafe text.withMemoryRebound(to: UInt8.self, capacity: 1) { bytes in
                unsafe crc32(0, bytes, UInt32(lockName.length))
            }
        }
        return Array(".rvf-".utf8) + Self.hexadecimal(UInt64(UInt32(truncatingIfNeeded: checksum)), digits: 8) + [0x2D]
    }

    package func makePrivateName() -> FilePath {
        var random: UInt64 = 0
        unsafe withUnsafeMutableBytes(of: &random) { unsafe host.fillWithRandomBytes($0) }
        return privateName(random)
    }

    /// The private name with this number in it, which its maker takes from something random.
    package func privateName(_ number: UInt64) -> FilePath {
        var bytes = privatePrefixBytes + Self.hexadecimal(number, digits: 16)
        bytes += Array(".tmp".utf8) + [0]
        return Self.path(bytes)
    }

    private static func hexadecimal(_ value: UInt64, digits: Int) -> [UInt8] {
        (0..<digits).map { position in
            let digit = UInt8(truncatingIfNeeded: value >> UInt64(4 * (digits - 1 - position))) & 15
            return digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
        }
    }

    /// Bytes are appended, not characters: a name need not be UTF-8.
    package static func appending(_ suffix: String, to name: FilePath) -> FilePath {
        let bytes = unsafe name.withPlatformString { text in
            // The path keeps its bytes, and a zero after them, for the length of this call.
            unsafe Array(UnsafeRawBufferPointer(start: text, count: name.length))
        }
        return path(bytes + Array(suffix.utf8) + [0])
    }

    /// A path from bytes that end in zero.
    private static func path(_ bytes: [UInt8]) -> FilePath {
        unsafe bytes.withUnsafeBytes { unsafe FilePath(platformString: $0.assumingMemoryBound(to: CChar.self).baseAddress!) }
    }

    // MARK: Looking

    /// Makes the system ask a server what the names here lead to.
    ///
    /// An NFS client goes by what it knows of a name for up to a minute (`acdirmax`), and so a lock file that was removed,
    /// or a protected file that was replaced, from another host would be found in its place for as long. Opening the
    /// directory makes it ask whether that has changed, and then look names up anew (close-to-open consistency); it costs
    /// one round trip. Other clients go by time alone, and are not helped.
    private func askForNames() {
        guard remembersNames else { return }
        // Who may search the directory and not read it goes by what the system knows.
        if let anew = try? openDirectoryForReading() { host.close(anew) }
    }

    /// The status of what has a name here; nil where nothing has.
    package func statusIfPresent(
        of name: FilePath, followingLinks: Bool, _ operation: LockError.Operation
    ) throws(LockError) -> FileStatus? {
        askForNames()
        do throws(Errno) {
            return try host.status(of: name, in: directory, followingLinks: followingLinks)
        } catch {
            if error == .noSuchFileOrDirectory { return nil }
            throw .system(operation, path, error)
        }
    }

    /// Which file has a name here; nil where nothing has it.
    func identityIfPresent(
        of name: FilePath, followingLinks: Bool, _ operation: LockError.Operation
    ) throws(LockError) -> FileIdentity? {
        askForNames()
        do throws(Errno) {
            return try host.identity(of: name, in: directory, followingLinks: followingLinks)
        } catch {
            if error == .noSuchFileOrDirectory { return nil }
            throw .system(operation, path, error)
        }
    }

    /// The same, but of what an open by the name leads to, where the system may be mistaken in the name itself.
    ///
    /// After a rename an NFS client takes the new name to lead to what it knew under the old one, and its directory for
    /// known; only an open of version 4 goes to the server by the name.
    func statusByOpening(
        _ name: FilePath, _ operation: LockError.Operation
    ) throws(LockError) -> FileStatus? {
        let status = try statusIfPresent(of: name, followingLinks: false, operation)
        guard remembersNames, status?.kind == .regular else { return status }
        do throws(Errno) {
            let file = try host.open(
                name, in: directory, .readOnly, options: [.noFollow, .nonBlocking], permissions: [])
            defer { host.close(file) }
            return try host.status(of: file)
        } catch {
            if error == .noSuchFileOrDirectory { return nil }
            throw .system(operation, path, error)
        }
    }

    /// The status of what has the lock's name; nil where nothing has. Links are not followed.
    package func lockStatus() throws(LockError) -> FileStatus? {
        try statusIfPresent(of: lockName, followingLinks: false, .openLock)
    }

    /// The status of the protected file, links followed; nil where there is none.
    package func dataStatus() throws(LockError) -> FileStatus? {
        try statusIfPresent(of: dataName, followingLinks: true, .openProtectedFile)
    }

    /// Does what may fail with an errno, and says what was attempted.
    package func attempting<Value>(
        _ operation: LockError.Operation, _ body: () throws(Errno) -> Value
    ) throws(LockError) -> Value {
        do throws(Errno) {
            return try body()
        } catch {
            throw .system(operation, path, error)
        }
    }

    package func requireRegular(_ status: FileStatus, isLock: Bool) throws(LockError) {
        let kind: LockError.NotAFile
        switch status.kind {
        case .regular: return
        case .directory: kind = .directory
        case .symbolicLink: kind = .symbolicLink
        case .fifo: kind = .fifo
        case .socket: kind = .socket
        case .device: kind = .device
        }
        throw .notAFile(isLock ? path.appendingSuffix(".lock") : path, kind)
    }
}

extension FilePath {
    package func appendingSuffix(_ suffix: String) -> FilePath {
        FilePath(string + suffix)
    }
}
