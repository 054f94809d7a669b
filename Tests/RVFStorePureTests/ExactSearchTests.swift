import RVFStore
import Testing

@Suite struct ExactSearchTests {
    private static func run(_ rows: [(id: UInt64, row: [Float])]) -> [UInt8] {
        rows.flatMap { id, row in (0..<8).map { UInt8(truncatingIfNeeded: id >> (8 * $0)) } + DistanceTests.bytes(row) }
    }

    private static func search(
        _ query: [Float], limit: Int, in rows: [(id: UInt64, row: [Float])],
        where isIncluded: (UInt64) -> Bool = { _ in true }
    ) -> [SearchHit] {
        guard var search = ExactSearch(query: query, metric: .squaredL2, limit: limit) else { return [] }
        let bytes = run(rows)
        search.scan(bytes.bytes) { id, _ in isIncluded(id) }
        return search.hits
    }

    @Test("Hits come by distance, then by id, with NaN last")
    func orders() {
        let rows: [(id: UInt64, row: [Float])] = [
            (9, [.nan]), (8, [1]), (3, [.nan]), (7, [-1]), (5, [0]), (6, [.infinity]), (1, [2]),
        ]
        #expect(Self.search([0], limit: 7, in: rows).map(\.id) == [5, 7, 8, 1, 6, 3, 9])
        #expect(Self.search([0], limit: 3, in: rows).map(\.id) == [5, 7, 8])
        #expect(Self.search([.nan], limit: 3, in: rows).map(\.id) == [1, 3, 5])
    }

    @Test("Minus nought is nought")
    func treatsZerosAlike() {
        #expect(SearchHit.isNearer(SearchHit(id: 1, distance: 0), SearchHit(id: 2, distance: -0.0)))
        #expect(!SearchHit.isNearer(SearchHit(id: 2, distance: -0.0), SearchHit(id: 1, distance: 0)))
        #expect(SearchHit.isNearer(SearchHit(id: 2, distance: -.leastNonzeroMagnitude), SearchHit(id: 1, distance: 0)))
        #expect(SearchHit.isNearer(SearchHit(id: 2, distance: -.infinity), SearchHit(id: 1, distance: -1)))
    }

    @Test("No more hits than rows, and none where none are asked for")
    func respectsLimit() {
        let rows: [(id: UInt64, row: [Float])] = [(1, [1]), (2, [2])]
        #expect(Self.search([0], limit: 100, in: rows).count == 2)
        #expect(Self.search([0], limit: .max, in: rows).count == 2)
        #expect(Self.search([0], limit: 0, in: rows).isEmpty)
        #expect(Self.search([0], limit: -1, in: rows).isEmpty)
        #expect(Self.search([0], limit: 5, in: []).isEmpty)
    }

    @Test(
        "A search finds what sorting everything finds, filtered, in any order, in pieces and merged", arguments: 0..<8)
    func agreesWithSorting(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        let dimension = Int.random(in: 1...50, using: &random)
        func vector() -> [Float] {
            // Few different numbers, so that many distances are equal.
            (0..<dimension).map { _ in Float(Int.random(in: -1...1, using: &random)) }
        }
        let query = vector()
        let rows = (0..<500).map { _ in (id: UInt64.random(in: 0..<100_000, using: &random), row: vector()) }
        let limit = Int.random(in: 1...60, using: &random)
        for metric in [Metric.squaredL2, .innerProduct, .cosine] {
            let distance = try #require(VectorDistance(query: query, metric: metric))
            let all = rows.map { row in
                let bytes = DistanceTests.bytes(row.row)
                return SearchHit(id: row.id, distance: distance(bytes.bytes))
            }
            let expected = all.filter { $0.id % 3 != 0 }.sorted(by: SearchHit.isNearer).prefix(limit)
            for order in [rows, rows.reversed(), rows.shuffled(using: &random)] {
                let cut = Int.random(in: 0...rows.count, using: &random)
                var parts: [ExactSearch] = []
                for part in [order[..<cut], order[cut...]] {
                    var search = try #require(ExactSearch(query: query, metric: metric, limit: limit))
                    let bytes = Self.run(Array(part))
                    search.scan(bytes.bytes) { id, _ in id % 3 != 0 }
                    parts.append(search)
                }
                parts[0].merge(parts[1])
                #expect(parts[0].hits == Array(expected), "seed \(seed), \(metric)")
            }
        }
    }

    @Test("The predicate learns where in the run a row stands, and is asked about rows that are near enough alone")
    func asksSeldom() throws {
        var search = try #require(ExactSearch(query: [0], metric: .squaredL2, limit: 2))
        let bytes = Self.run((0..<1_000).map { (id: UInt64($0) + 10, row: [Float($0)]) })
        var asked = 0
        search.scan(bytes.bytes) { id, position in
            asked += 1
            #expect(id == UInt64(position) + 10)
            return position != 0
        }
        #expect(asked == 3)
        #expect(search.hits.map(\.id) == [11, 12])
    }
}
