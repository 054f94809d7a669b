import Foundation
import SystemPackage

/// Real stores, and what they say, in `RVF_CORPUS` or else in `../shared/corpus` beside the package.
enum Corpus {
    struct Expectation: Decodable, Sendable {
        struct Identity: Decodable, Sendable {
            var file_id: String
            var parent_id: String
            var parent_hash: String
            var lineage_depth: UInt32
        }
        struct Neighbours: Decodable, Sendable {
            var query_id: UInt64
            var k: Int
            var answers: [String: [[Double]]]
        }
        var bytes: UInt64
        var epoch: UInt32
        var dimension: Int
        var profile: UInt8
        var metric: UInt8
        var total_vectors: Int
        var live_vectors: Int
        var deleted: [UInt64]
        var deleted_count: Int
        var directory_entries: Int
        var entries_by_type: [String: Int]
        var identity: Identity?
        var manifest_offset: UInt64
        var ids_crc32: UInt32
        var first_ids: [UInt64]
        var last_ids: [UInt64]
        var knn: [Neighbours]?
    }

    static let directory: URL = {
        if let path = ProcessInfo.processInfo.environment["RVF_CORPUS"] { return URL(fileURLWithPath: path) }
        // Three levels up from this file is the package.
        return URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
            .appendingPathComponent("../../../../../shared/corpus").standardizedFileURL
    }()

    static let stores: [String] = {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory.appendingPathComponent("stores").path)) ?? []
        return names.sorted()
    }()

    /// Why the tests that need the corpus are skipped where it is absent.
    static let isPresent = !stores.isEmpty
    static let whereToGetIt = "no corpus of stores: set RVF_CORPUS to a directory with stores/ and expected/"

    static func path(_ name: String) -> FilePath { FilePath(directory.appendingPathComponent("stores/" + name).path) }

    static func bytes(_ name: String) throws -> [UInt8] {
        try Array(Data(contentsOf: directory.appendingPathComponent("stores/" + name)))
    }

    static func expectation(_ name: String) throws -> Expectation {
        let data = try Data(contentsOf: directory.appendingPathComponent("expected/\(name).json"))
        return try JSONDecoder().decode(Expectation.self, from: data)
    }
}

func hexadecimal(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}
