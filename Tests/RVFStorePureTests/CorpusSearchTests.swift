import RVFStore
import RVFTestSupport
import Testing

/// Real stores against k-nearest-neighbours that were computed in double precision elsewhere.
@Suite(.enabled(if: Corpus.isPresent, Comment(rawValue: Corpus.absence)))
struct CorpusSearchTests {
    @Test("The neighbours of every query in every store are the expected ones", arguments: Corpus.names(in: "stores"))
    func findsNeighbours(store: String) throws {
        let expectation = try Corpus.expectation(of: store)
        let snapshot = try StoreReader(at: Corpus.file("stores", store)).snapshot()
        for query in expectation["knn"] as? [[String: Any]] ?? [] {
            let id = try #require(query["query_id"] as? UInt64)
            let vector = try #require(try snapshot.vector(id: id))
            let shifted = vector.enumerated().map { $0.element + Float(0.01) * Float($0.offset % 7 - 3) }
            let answers = try #require(query["answers"] as? [String: [[Double]]])
            for (name, expected) in answers {
                let metric = Self.metric(name)
                let hits = try search(snapshot, for: shifted, metric: metric, limit: expected.count)
                if metric == snapshot.metric {
                    #expect(try snapshot.nearest(to: shifted, limit: expected.count) == hits, "\(name), query \(id)")
                }
                #expect(hits.map(\.id) == expected.map { UInt64($0[0]) }, "\(name), query \(id)")
                for (hit, answer) in zip(hits, expected) {
                    // A cosine distance is a difference from 1, so no nearer than a single's step there.
                    let tolerance = max(1e-4 * abs(answer[1]), name == "cosine" ? 3e-7 : 0)
                    #expect(
                        abs(Double(hit.distance) - answer[1]) <= tolerance, "\(name), query \(id): \(hit) \(answer)")
                }
            }
        }
    }

    private static func metric(_ name: String) -> Metric {
        switch name {
        case "l2": .squaredL2
        case "inner_product": .innerProduct
        default: .cosine
        }
    }

    private func search(
        _ snapshot: Snapshot, for query: [Float], metric: Metric, limit: Int
    ) throws -> [SearchHit] {
        var search = try #require(ExactSearch(query: query, metric: metric, limit: limit))
        try snapshot.forEachRow { id, vector in search.consider(id, vector.rawBytes) }
        return search.hits
    }
}
