import Foundation
public import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What a machine allows its tests to do, and how long they may take.
public enum TestPowers {
    /// `RVF_LONG=1` lengthens the tests that run for a while.
    public static let isLong = ProcessInfo.processInfo.environment["RVF_LONG"] == "1"
    public static let isRoot = geteuid() == 0

    /// Whether file systems can be mounted here.
    public static let canMount = isRoot && succeeds(["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"])
    public static let canMountOverlay: Bool = {
        guard canMount, let directory = try? TemporaryDirectory() else { return false }
        return (try? OverlayMount(in: directory.path)) != nil
    }()
    public static let canMakeProcessNamespaces =
        isRoot && succeeds(["unshare", "-p", "-f", "--mount-proc", "--kill-child", "true"])

    public static let mountAbsence = "this needs root and mount(2)"
    public static let namespaceAbsence = "this needs root and unshare(1) with pid namespaces"
    public static let rootAbsence = "this needs root, to become another user"

    /// Runs a program and says whether it ended well.
    public static func succeeds(_ words: [String]) -> Bool {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = words
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }
}

/// A small file system of its own, unmounted when the value goes.
public struct TemporaryMount: ~Copyable, Sendable {
    public let path: FilePath

    public struct Failed: Error {}

    /// - Parameter options: As for `mount -o`, such as `size=64k,nr_inodes=10`.
    public init(in parent: FilePath, options: String) throws {
        path = parent.appending("mount")
        try FileManager.default.createDirectory(atPath: path.string, withIntermediateDirectories: true)
        guard TestPowers.succeeds(["mount", "-t", "tmpfs", "-o", options, "none", path.string]) else { throw Failed() }
    }

    public func remount(_ options: String) throws {
        guard TestPowers.succeeds(["mount", "-o", "remount,\(options)", path.string]) else { throw Failed() }
    }

    deinit { _ = TestPowers.succeeds(["umount", "-l", path.string]) }
}

/// An overlay over two directories of the same file system, unmounted when the value goes.
public struct OverlayMount: ~Copyable, Sendable {
    public let lower: FilePath
    public let path: FilePath

    public init(in parent: FilePath) throws {
        lower = parent.appending("lower")
        path = parent.appending("merged")
        for name in ["lower", "upper", "work", "merged"] {
            try FileManager.default.createDirectory(
                atPath: parent.appending(name).string, withIntermediateDirectories: true)
        }
        let options = ["lower", "upper", "work"].map { "\($0)dir=\(parent.appending($0).string)" }
        guard TestPowers.succeeds(
            ["mount", "-t", "overlay", "overlay", "-o", options.joined(separator: ","), path.string])
        else { throw TemporaryMount.Failed() }
    }

    deinit { _ = TestPowers.succeeds(["umount", "-l", path.string]) }
}

/// What stands in a lock file, read with Foundation alone.
public struct SeenRecord: Equatable, Sendable {
    public var bytes: [UInt8]

    /// Nil where there is no file.
    public init?(of protected: FilePath) {
        guard let data = FileManager.default.contents(atPath: protected.string + ".lock") else { return nil }
        bytes = [UInt8](data)
    }

    /// Whether the checksum of a record of the right length is right, by a bit-wise CRC-32.
    public var isValid: Bool {
        guard bytes.count == 104, bytes.starts(with: [0x46, 0x4C, 0x56, 0x52]) else { return false }
        return Self.checksum(bytes[..<100]) == number(100..<104)
    }

    public var processID: Int32 { Int32(truncatingIfNeeded: number(4..<8)) }
    public var guardByte: UInt8 { bytes[0x47] }

    private func number(_ range: Range<Int>) -> UInt32 {
        bytes[range].reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }

    static func checksum(_ bytes: some Sequence<UInt8>) -> UInt32 {
        ~bytes.reduce(UInt32.max) { state, byte in
            (0..<8).reduce(state ^ UInt32(byte)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
        }
    }

    /// A peer's record, with no guard byte.
    public static func make(process: Int32, host: String, ageSeconds: Double) -> [UInt8] {
        func little(_ value: UInt64, _ count: Int) -> [UInt8] {
            (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) }
        }
        let name = Array(host.utf8.prefix(62))
        let written = UInt64((Date().timeIntervalSince1970 - ageSeconds) * 1e9)
        var bytes: [UInt8] = [0x46, 0x4C, 0x56, 0x52] + little(UInt64(UInt32(bitPattern: process)), 4)
        bytes += name + [UInt8](repeating: 0, count: 64 - name.count) + little(written, 8)
        bytes += (0..<16).map { _ in UInt8.random(in: 0...255) } + [1, 0, 0, 0]
        return bytes + little(UInt64(checksum(bytes)), 4)
    }
}

extension FilePath {
    /// Sets the times of what has this name back, so that it looks as old.
    public func setBack(seconds: Double) throws {
        let time = Date().addingTimeInterval(-seconds)
        try FileManager.default.setAttributes([.modificationDate: time], ofItemAtPath: string)
    }
}
