import Foundation
import RVFTestSupport
import SystemPackage

/// The real stores of the corpus, and what they say.
enum StoreCorpus {
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

    static let stores: [String] = Corpus.names(in: "stores")
    static let isPresent = Corpus.isPresent
    static let whereToGetIt = Corpus.absence

    static func path(_ name: String) -> FilePath { Corpus.file("stores", name) }

    static func bytes(_ name: String) throws -> [UInt8] { try Corpus.bytes("stores", name) }

    static func expectation(_ name: String) throws -> Expectation {
        try JSONDecoder().decode(Expectation.self, from: Data(Corpus.bytes("expected", name + ".json")))
    }
}

func hexadecimal(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}
