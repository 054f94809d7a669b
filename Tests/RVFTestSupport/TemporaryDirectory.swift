public import SystemPackage
import Foundation

/// A directory of its own for one test, removed when the value goes.
public struct TemporaryDirectory: ~Copyable, Sendable {
    public let path: FilePath

    /// - Parameter parent: Where to make it; the system's place for temporary files if nil.
    public init(in parent: FilePath? = nil) throws {
        let base = parent ?? FilePath(FileManager.default.temporaryDirectory.path)
        path = base.appending("rvf-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(atPath: path.string, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path.string)
    }

    /// A path below the directory.
    public func file(_ name: String) -> FilePath { path.appending(name) }

    /// Creates a file with these bytes and gives its path.
    @discardableResult
    public func write(_ bytes: [UInt8], to name: String) throws -> FilePath {
        let target = file(name)
        try Data(bytes).write(to: URL(fileURLWithPath: target.string))
        return target
    }

    /// The names in the directory, sorted.
    public var names: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path.string)) ?? []).sorted()
    }
}
