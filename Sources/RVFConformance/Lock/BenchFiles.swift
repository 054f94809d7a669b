import RVFHost
import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What the kit does to files: as any program might, without the library under test.
enum BenchFiles {
    /// Much more than a record, so that longer files are noticed.
    static let readLimitBytes = 4096

    /// The start of a regular file; nil where there is none. Never follows a link, and never waits.
    static func contents(of path: FilePath) -> [UInt8]? {
        guard let file = opened(path, .readOnly) else { return nil }
        defer { try? file.close() }
        var bytes = [UInt8](repeating: 0, count: readLimitBytes)
        let count = unsafe bytes.withUnsafeMutableBytes { (try? unsafe file.read(fromAbsoluteOffset: 0, into: $0)) ?? -1 }
        return count < 0 ? nil : Array(bytes.prefix(count))
    }

    static func opened(_ path: FilePath, _ mode: FileDescriptor.AccessMode) -> FileDescriptor? {
        try? FileDescriptor.open(path, mode, options: [.closeOnExec, .noFollow, .nonBlocking])
    }

    /// Puts a complete file in a name's place at once, as if it had been written so long ago.
    static func put(_ bytes: [UInt8], at path: FilePath, ageSeconds: Int64 = 0) throws(ScenarioEnd) {
        let draft = FilePath(path.string + "~kit")
        try write(bytes, to: draft, .create)
        try setAge(of: draft, seconds: ageSeconds)
        guard unsafe rename(draft.string, path.string) == 0 else { throw .kit("rename", errno) }
    }

    /// Into the same file, as `cp` does.
    static func overwrite(_ bytes: [UInt8], at path: FilePath) throws(ScenarioEnd) {
        try write(bytes, to: path, .truncate)
    }

    private static func write(
        _ bytes: [UInt8], to path: FilePath, _ option: FileDescriptor.OpenOptions
    ) throws(ScenarioEnd) {
        do {
            let file = try FileDescriptor.open(
                path, .writeOnly, options: [.closeOnExec, .truncate, option],
                permissions: [.ownerReadWrite, .groupRead, .otherRead])
            defer { try? file.close() }
            _ = try file.writeAll(bytes)
        } catch {
            throw .failed("the kit cannot write \(path): \(error)")
        }
    }

    static func setAge(of path: FilePath, seconds: Int64) throws(ScenarioEnd) {
        let now = POSIXHost().wallClockNanoseconds()
        let time = timespec(tv_sec: Int(now / 1_000_000_000 - seconds), tv_nsec: Int(now % 1_000_000_000))
        let times = [time, time]
        guard unsafe utimensat(AT_FDCWD, path.string, times, AT_SYMLINK_NOFOLLOW) == 0 else {
            throw .kit("utimensat", errno)
        }
    }

    /// What has this name; nil for nothing.
    static func kind(of path: FilePath) -> FileStatus.Kind? {
        guard let directory = try? POSIXHost().openDirectory(path.removingLastComponent()) else { return nil }
        defer { try? directory.close() }
        guard let name = path.lastComponent else { return nil }
        return try? POSIXHost().status(of: FilePath(root: nil, [name]), in: directory, followingLinks: false).kind
    }

    static func makeDirectory(_ path: FilePath) throws(ScenarioEnd) {
        guard unsafe mkdir(path.string, 0o700) == 0 else { throw .kit("mkdir", errno) }
    }

    static func makeFIFO(_ path: FilePath) throws(ScenarioEnd) {
        guard unsafe mkfifo(path.string, 0o600) == 0 else { throw .kit("mkfifo", errno) }
    }

    static func makeLink(_ path: FilePath, to target: FilePath) throws(ScenarioEnd) {
        guard unsafe symlink(target.string, path.string) == 0 else { throw .kit("symlink", errno) }
    }

    static func remove(_ path: FilePath) {
        if unsafe unlink(path.string) != 0 { unsafe _ = rmdir(path.string) }
    }

    /// A directory of the kit's, with the files in it; it makes none deeper than that.
    static func removeAll(in directory: FilePath) {
        for name in names(in: directory) { remove(directory.appending(name)) }
        remove(directory)
    }

    static func names(in directory: FilePath) -> [String] {
        guard let descriptor = try? POSIXHost().openDirectoryForReading(directory) else { return [] }
        defer { try? descriptor.close() }
        return ((try? POSIXHost().names(in: descriptor)) ?? []).map(\.string).sorted()
    }

    /// Whether somebody has the kernel lock of a file; the lock is not kept.
    static func isKernelLocked(_ path: FilePath) -> Bool? {
        guard let file = opened(path, .readWrite) else { return nil }
        defer { try? file.close() }
        return (try? POSIXHost().tryLock(file)).map { !$0 }
    }
}
