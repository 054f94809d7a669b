import Foundation
import RVFStore
import SystemPackage

/// A directory for one test's files, removed with the object.
final class Scratch: Sendable {
    let path: FilePath

    /// - Parameter inMemory: whether in memory where the system has such a place, for many thousands of files.
    init(inMemory: Bool = false) {
        let memory = "/dev/shm"
        let isThere = inMemory && FileManager.default.isWritableFile(atPath: memory)
        let parent = isThere ? URL(fileURLWithPath: memory) : FileManager.default.temporaryDirectory
        let url = parent.appendingPathComponent("rvf-store-" + UUID().uuidString)
        path = FilePath(url.path)
        do {
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        } catch {
            preconditionFailure("no directory for a test: \(error)")
        }
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path.string)
    }

    func callAsFunction(_ name: String) -> FilePath { path.appending(name) }

    /// Writes bytes into a file, in place where it exists.
    @discardableResult
    func write(_ bytes: [UInt8], to name: String = "data.rvf") throws -> FilePath {
        let file = path.appending(name)
        let descriptor = try FileDescriptor.open(file, .writeOnly, options: .create, permissions: .ownerReadWrite)
        try descriptor.closeAfter {
            _ = try descriptor.writeAll(bytes)
            // Cut afterwards: ext4 writes a file out at once that was cut to nothing before.
            try descriptor.resize(to: Int64(bytes.count))
        }
        return file
    }

    /// Appends bytes to a file in place.
    func append(_ bytes: some Sequence<UInt8>, to name: String = "data.rvf") throws {
        let descriptor = try FileDescriptor.open(path.appending(name), .writeOnly, options: .append)
        _ = try descriptor.closeAfter { try descriptor.writeAll(bytes) }
    }

    func read(_ name: String = "data.rvf") throws -> [UInt8] {
        try Array(Data(contentsOf: URL(fileURLWithPath: path.appending(name).string)))
    }

    var names: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path.string)) ?? []).sorted()
    }
}

/// Numbers that are the same in every run with one seed; tests print the seed when they fail.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// SplitMix64, as published by Sebastiano Vigna.
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

extension StoreReader {
    /// Every id that can be found, with its row.
    func rows(onDamage policy: DamagePolicy = .refuse) throws(StoreError) -> [UInt64: [Float]] {
        var rows: [UInt64: [Float]] = [:]
        try snapshot().forEachRow(onDamage: policy) { rows[$0] = $1.array() }
        return rows
    }
}

/// Rows whose components tell whose they are.
func rows(_ ids: some Sequence<UInt64>, dimension: Int, version: Float = 0) -> [(UInt64, [Float])] {
    ids.map { id in (id, (0..<dimension).map { Float(id) + Float($0) / 8 + version * 1000 }) }
}

/// The error that something throws; nil where it throws none.
func storeError<Value: ~Copyable>(_ body: () throws(StoreError) -> Value) -> StoreError? {
    do throws(StoreError) {
        _ = try body()
        return nil
    } catch {
        return error
    }
}

enum FileManagement {
    static func remove(_ path: FilePath) throws {
        try FileManager.default.removeItem(atPath: path.string)
    }

    static func move(_ path: FilePath, to other: FilePath) throws {
        try FileManager.default.moveItem(atPath: path.string, toPath: other.string)
    }

    /// Makes a symbolic link.
    static func link(_ path: FilePath, to destination: String) throws {
        try FileManager.default.createSymbolicLink(atPath: path.string, withDestinationPath: destination)
    }

    /// Replaces what has the new name.
    static func rename(_ path: FilePath, to other: FilePath) throws {
        try FileManager.default.removeItem(atPath: other.string)
        try FileManager.default.moveItem(atPath: path.string, toPath: other.string)
    }
}
