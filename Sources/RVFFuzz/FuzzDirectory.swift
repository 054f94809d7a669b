import Foundation
import SystemPackage

/// A directory for the files of one check, in memory where the system has such a place.
struct FuzzDirectory {
    private let directory: FilePath

    static func withDirectory<Value>(_ body: (FuzzDirectory) throws -> Value) throws -> Value {
        // Files there cost no disk, and syncs nothing.
        let memory = "/dev/shm"
        let isThere = FileManager.default.isWritableFile(atPath: memory)
        let parent = isThere ? memory : FileManager.default.temporaryDirectory.path
        let path = FilePath(parent).appending("rvf-fuzz-\(UUID().uuidString)")
        try FileManager.default.createDirectory(atPath: path.string, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: path.string) }
        return try body(FuzzDirectory(directory: path))
    }

    func path(_ name: String) -> FilePath { directory.appending(name) }

    func write(_ bytes: [UInt8], to name: String) throws {
        let file = try FileDescriptor.open(
            path(name), .writeOnly, options: [.create, .truncate], permissions: .ownerReadWrite)
        _ = try file.closeAfter { try file.writeAll(bytes) }
    }

    func read(_ name: String) throws -> [UInt8] {
        try Array(Data(contentsOf: URL(fileURLWithPath: path(name).string)))
    }
}
