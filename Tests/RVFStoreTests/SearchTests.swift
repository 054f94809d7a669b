import RVFReference
import RVFStore
import SystemPackage
import Testing

@Suite("Searching a snapshot")
struct SearchTests {
    private let scratch = Scratch()
    private var path: FilePath { scratch("data.rvf") }

    /// Distances in double precision. Components are small whole numbers here, so that no sum is rounded in either.
    private static func distance(_ query: [Float], _ row: [Float], _ metric: Metric) -> Float {
        func products(_ left: [Float], _ right: [Float]) -> Double {
            zip(left, right).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        }
        switch metric {
        case .squaredL2:
            let differences = zip(query, row).map { $0 - $1 }
            return Float(products(differences, differences))
        case .innerProduct: return Float(-products(query, row))
        default:
            let lengths = products(query, query).squareRoot() * products(row, row).squareRoot()
            return lengths == 0 ? 1 : Float(1 - products(query, row) / lengths)
        }
    }

    private static func oracle(
        _ rows: [UInt64: [Float]], _ query: [Float], _ metric: Metric, limit: Int
    ) -> [SearchHit] {
        let all = rows.map { SearchHit(id: $0.key, distance: distance(query, $0.value, metric)) }
        return Array(all.sorted { ($0.distance, $0.id) < ($1.distance, $1.id) }.prefix(limit))
    }

    private static func vector(_ dimension: Int, _ generator: inout SeededGenerator) -> [Float] {
        // Few different ones, so that many rows lie at the same distance.
        (0..<dimension).map { _ in Float(Int.random(in: -2...2, using: &generator)) }
    }

    @Test(
        "what is found is what sorting all live rows finds, whatever was deleted, replaced and merged",
        arguments: 0..<9 as Range<UInt64>)
    func agreesWithSorting(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let metric = [Metric.squaredL2, .innerProduct, .cosine][Int(seed % 3)]
        let dimension = Int.random(in: 1...40, using: &generator)
        var options = WriterOptions()
        options.limits.segmentByteCount = seed % 2 == 0 ? 2000 : 64 << 20
        options.readMode = seed % 4 < 2 ? .mapped : .positional
        var expected: [UInt64: [Float]] = [:]
        var writer = try StoreWriter.create(at: path, dimension: dimension, metric: metric, options: options)
        for commit in 0..<60 {
            var transaction = Transaction()
            let ids = Set((0..<[1, 2, 30].randomElement(using: &generator)!).map { _ in
                UInt64.random(in: 0..<200, using: &generator)
            })
            if commit % 3 == 2 {
                transaction.delete(ids: Array(ids))
                for id in ids { expected[id] = nil }
            } else {
                for id in ids {
                    let vector = Self.vector(dimension, &generator)
                    transaction.upsert([Row(id: id, vector: vector)])
                    expected[id] = vector
                }
            }
            try writer.commit(transaction, options: CommitOptions(durability: .none))
            guard commit % 7 == 0 || commit > 55 else { continue }
            for snapshot in [writer.snapshot(), try StoreReader(at: path).snapshot()] {
                let query = Self.vector(dimension, &generator)
                for limit in [0, 1, 7, 1000] {
                    let hits = try snapshot.nearest(to: query, limit: limit)
                    #expect(
                        hits == Self.oracle(expected, query, metric, limit: limit),
                        "seed \(seed), commit \(commit), \(metric), \(limit) rows")
                }
            }
        }
        try writer.close()
    }

    @Test("an id that a peer wrote twice, in one segment or two, is found once, at its later row")
    func repeatedIDs() throws {
        var peer = ReferenceWriter(dimension: 2)
        peer.ingest([(1, [0, 0]), (2, [5, 0]), (1, [3, 0])])
        peer.ingest([(3, [1, 0]), (2, [0, 0])])
        peer.delete([3])
        let snapshot = try StoreReader(at: try scratch.write(peer.file)).snapshot()
        let hits = [SearchHit(id: 2, distance: 0), SearchHit(id: 1, distance: 9)]
        #expect(try snapshot.nearest(to: [0, 0], limit: 10) == hits)
        #expect(try snapshot.nearest(to: [0, 0], limit: 1) == [hits[0]])
        #expect(try snapshot.nearest(to: [0, 0], limit: -1) == [])
    }

    @Test("rows of a damaged segment are refused or passed over, and what they replaced stays hidden")
    func damage() throws {
        var peer = ReferenceWriter(dimension: 2)
        peer.ingest([(1, [0, 0]), (2, [1, 0])])
        peer.ingest([(1, [9, 9]), (3, [2, 0])])
        let damaged = peer.entries.last { $0.type == 1 }!.offset
        // In a component of the first row.
        peer.file[damaged + 64 + 16] ^= 1
        let snapshot = try StoreReader(at: try scratch.write(peer.file)).snapshot()
        guard case .damaged(_, let offset, _)? = storeError({ () throws(StoreError) in
            try snapshot.nearest(to: [0, 0], limit: 3)
        }) else {
            Issue.record("damage was not noticed")
            return
        }
        #expect(offset == UInt64(damaged))
        let left = try snapshot.nearest(to: [0, 0], limit: 3, onDamage: .passOver)
        #expect(left == [SearchHit(id: 2, distance: 1)])
    }

    @Test("a query that cannot be compared is refused, and the message says why")
    func refusedQueries() throws {
        try StoreWriter.create(at: path, dimension: 3).close()
        let snapshot = try StoreReader(at: path).snapshot()
        func refusal(_ query: [Float], of snapshot: Snapshot, limit: Int = 1) -> StoreError? {
            storeError { () throws(StoreError) in try snapshot.nearest(to: query, limit: limit) }
        }
        #expect(refusal([1, 2], of: snapshot) == .invalidQuery(path, .dimension(expected: 3, found: 2)))
        #expect(refusal([], of: snapshot, limit: 0) == .invalidQuery(path, .dimension(expected: 3, found: 0)))
        #expect(refusal([1, .nan, 2], of: snapshot) == .invalidQuery(path, .notFinite(component: 1)))
        #expect(refusal([1, 2, -.infinity], of: snapshot) == .invalidQuery(path, .notFinite(component: 2)))
        #expect(refusal([1, 2, 3], of: snapshot) == nil)
        #expect(try snapshot.nearest(to: [1, 2, 3], limit: 5) == [])

        let peer = ReferenceWriter(dimension: 3, metric: 9)
        let other = try StoreReader(at: try scratch.write(peer.file, to: "other")).snapshot()
        let unknown = refusal([1, 2, 3], of: other)
        #expect(unknown == .invalidQuery(scratch("other"), .unknownMetric(Metric(rawValue: 9))))
        #expect(unknown?.description.contains("metric 9") == true)
    }
}
