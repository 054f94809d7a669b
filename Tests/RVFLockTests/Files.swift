import Foundation
import RVFHost
import RVFTestSupport
import SystemPackage

@testable import RVFLock

/// What tests do to files behind a lock's back, as an operator or a naive peer would.
enum Files {
    static func bytes(_ path: FilePath) -> [UInt8]? {
        FileManager.default.contents(atPath: path.string).map { [UInt8]($0) }
    }

    static func write(_ bytes: [UInt8], _ path: FilePath) {
        _ = FileManager.default.createFile(atPath: path.string, contents: Data(bytes))
    }

    /// Into the inode that is there, as `cp` over a file does.
    static func overwrite(_ path: FilePath, with bytes: [UInt8]) {
        guard let file = try? FileDescriptor.open(path, .writeOnly, options: [.truncate]) else { return }
        _ = try? file.closeAfter { try file.writeAll(bytes) }
    }

    static func remove(_ path: FilePath) {
        unsafe unlink(path.string)
        unsafe rmdir(path.string)
    }

    static func exists(_ path: FilePath) -> Bool {
        var status = stat()
        return unsafe lstat(path.string, &status) == 0
    }

    static func rename(_ path: FilePath, to other: FilePath) {
        precondition(unsafe Foundation.rename(path.string, other.string) == 0)
    }

    /// Another inode under the name, as an editor or a restore makes it.
    static func replace(_ path: FilePath, with bytes: [UInt8]) {
        let other = FilePath(path.string + ".other")
        write(bytes, other)
        rename(other, to: path)
    }

    static func identity(_ path: FilePath) -> FileIdentity? {
        var status = stat()
        guard unsafe lstat(path.string, &status) == 0 else { return nil }
        return FileIdentity(device: UInt64(truncatingIfNeeded: status.st_dev), inode: UInt64(status.st_ino))
    }

    static func makeFIFO(_ path: FilePath) { unsafe mkfifo(path.string, 0o600) }
    static func makeDirectory(_ path: FilePath) { unsafe mkdir(path.string, 0o700) }
    static func makeLink(_ path: FilePath, to target: String) { unsafe symlink(target, path.string) }
    static func makeHardLink(_ path: FilePath, to target: FilePath) { unsafe link(target.string, path.string) }

    /// Sets the time of last change, in seconds before now.
    static func age(_ path: FilePath, seconds: Double) {
        try? FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSinceNow: -seconds)], ofItemAtPath: path.string)
    }

    static func record(_ path: FilePath) -> LockRecord? {
        bytes(path).flatMap { LockRecordReading($0).record }
    }
}

/// Records as peers write them.
enum Peer {
    /// A record that was written so many seconds ago.
    static func record(
        process: UInt32 = 999_999_999, host: String = "here", ageSeconds: Double = 0, writer: UInt8 = 0xAB,
        isGuarded: Bool = false, version: UInt32 = 1
    ) -> LockRecord {
        let written = POSIXHost().wallClockNanoseconds() - Int64(ageSeconds * 1e9)
        return LockRecord(
            processID: process, hostName: Array(host.utf8), timestampNanoseconds: UInt64(max(0, written)),
            writerID: WriterID(bytes: [UInt8](repeating: writer, count: 16))!, version: version, isGuarded: isGuarded)
    }

    /// A naive writer of this host that lives: nobody may ever remove or overwrite it.
    static func living() -> LockRecord { record(process: UInt32(getpid()), writer: 0xEE) }
}

/// A directory with a protected file in it, or with none yet.
struct Scene: ~Copyable {
    let directory: TemporaryDirectory
    let data: FilePath
    let lock: FilePath

    init(hasData: Bool = true, name: String = "data.rvf") throws {
        directory = try TemporaryDirectory()
        data = directory.file(name)
        lock = directory.file(name + ".lock")
        if hasData { Files.write(Array("vectors".utf8), data) }
    }

    /// Private files that lie about.
    var litter: [String] { directory.names.filter { $0.hasPrefix(".rvf-") } }

    func putLock(_ record: LockRecord) { Files.write(record.encoded(), lock) }
}
