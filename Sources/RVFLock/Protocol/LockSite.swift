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

    package init(host: H, path: FilePath) throws(LockError) {
        guard let last = path.lastComponent, last.kind == .regular else { throw .invalidPath(path) }
        let parent = path.removingLastComponent()
        self.host = host
        self.path = path
        directoryPath = parent.isEmpty ? "." : parent
        dataName = FilePath(root: nil, [last])
        lockName = Self.appending(".lock", to: last)
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
    }

    deinit {
        host.close(directory)
    }

    /// Bytes are appended, not characters: a name need not be UTF-8.
    private static func appending(_ suffix: String, to name: FilePath.Component) -> FilePath {
        let bytes = unsafe name.withPlatformString { unsafe Self.bytes(of: $0) } + Array(suffix.utf8)
        return unsafe (bytes.map { CChar(bitPattern: $0) } + [0]).withUnsafeBufferPointer {
            unsafe FilePath(platformString: $0.baseAddress!)
        }
    }

    private static func bytes(of text: UnsafePointer<CChar>) -> [UInt8] {
        var bytes: [UInt8] = []
        var position = 0
        while unsafe text[position] != 0 {
            bytes.append(UInt8(bitPattern: unsafe text[position]))
            position += 1
        }
        return bytes
    }

    // MARK: Private files

    /// The start of the names that files of this lock bear before they are published and after they are put
    /// aside: short whatever the lock's name, and its own as far as a CRC goes.
    package var privatePrefix: String {
        let bytes = unsafe lockName.withPlatformString { unsafe Self.bytes(of: $0) }
        let checksum = UInt32(truncatingIfNeeded: unsafe crc32(0, bytes, UInt32(bytes.count)))
        return ".rvf-" + Self.hexadecimal(UInt64(checksum), digits: 8) + "-"
    }

    package func makePrivateName() -> FilePath {
        var random: UInt64 = 0
        unsafe withUnsafeMutableBytes(of: &random) { unsafe host.fillWithRandomBytes($0) }
        return FilePath(privatePrefix + Self.hexadecimal(random, digits: 16) + ".tmp")
    }

    private static func hexadecimal(_ value: UInt64, digits: Int) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: digits - text.count) + text
    }

    // MARK: Looking

    /// The status of what has a name here; nil where nothing has.
    package func statusIfPresent(
        of name: FilePath, followingLinks: Bool, _ operation: LockError.Operation
    ) throws(LockError) -> FileStatus? {
        do throws(Errno) {
            return try host.status(of: name, in: directory, followingLinks: followingLinks)
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
