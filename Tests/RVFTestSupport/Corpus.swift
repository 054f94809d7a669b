import Foundation
public import SystemPackage

/// The collection of real files that tests read where it is present: `../shared/corpus` beside the package, or the
/// directory in `RVF_CORPUS`. It is not part of the repository.
public enum Corpus {
    public static let path: FilePath? = {
        let given = ProcessInfo.processInfo.environment["RVF_CORPUS"]
        // This file is <package>/Tests/RVFTestSupport/Corpus.swift.
        let package = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()
        let path = given.map { FilePath($0) } ?? package.appending("../shared/corpus")
        return FileManager.default.fileExists(atPath: path.appending("expected").string) ? path : nil
    }()

    public static var isPresent: Bool { path != nil }

    /// For the traits of tests that need the corpus.
    public static let absence = "the corpus is not here: set RVF_CORPUS to its path"

    /// The names of a folder's files, sorted; empty without a corpus.
    public static func names(in folder: String) -> [String] {
        guard let path else { return [] }
        return ((try? FileManager.default.contentsOfDirectory(atPath: path.appending(folder).string)) ?? []).sorted()
    }

    public static func file(_ folder: String, _ name: String) -> FilePath {
        (path ?? "/nonexistent").appending(folder).appending(name)
    }

    public static func bytes(_ folder: String, _ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(fileURLWithPath: file(folder, name).string)))
    }

    /// The parsed expectation that belongs to a file.
    public static func expectation(of name: String) throws -> [String: Any] {
        let bytes = try bytes("expected", name + ".json")
        return (try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any]) ?? [:]
    }
}
