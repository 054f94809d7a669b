import Foundation
import RVFStore
import SystemPackage
import Testing

@Suite("Searching with a filter")
struct FilteredSearchTests {
    private let scratch = Scratch()
    private var path: FilePath { scratch("data.rvf") }

    /// What sorting all rows finds for which the filter is true.
    private static func oracle(
        _ model: MetadataModel, _ query: [Float], _ filter: MetadataFilter, limit: Int
    ) -> [SearchHit] {
        let hits = model.ids(where: filter).map { id in
            // Whole numbers, whose sums are not rounded.
            let differences = zip(query, model.rows[id] ?? []).map { $0 - $1 }
            return SearchHit(id: id, distance: differences.reduce(0) { $0 + $1 * $1 })
        }
        return Array(hits.sorted { ($0.distance, $0.id) < ($1.distance, $1.id) }.prefix(limit))
    }

    @Test(
        "what is found is what sorting the live rows finds for which the filter is true", arguments: 0..<6 as Range<UInt64>)
    func agreesWithSorting(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var options = WriterOptions()
        options.limits.segmentByteCount = seed % 2 == 0 ? 1000 : 64 << 20
        options.readMode = seed % 3 == 0 ? .positional : .mapped
        var writer = try StoreWriter.create(at: path, dimension: 2, options: options)
        var model = MetadataModel()
        for commit in 0..<40 {
            var transaction = Transaction()
            for id in Set((0..<12).map { _ in UInt64.random(in: 0..<60, using: &generator) }) {
                if commit % 4 == 3 {
                    transaction.delete(ids: [id])
                    model.delete([id])
                    continue
                }
                let vector = (0..<2).map { _ in Float(Int.random(in: -3...3, using: &generator)) }
                let fields = Bool.random(using: &generator) ? MetadataModel.randomFields(&generator) : nil
                transaction.upsert([Row(id: id, vector: vector, metadata: fields)])
                model.rows[id] = vector
                if let fields { model.metadata[id] = fields.isEmpty ? nil : fields }
            }
            try writer.commit(transaction, options: CommitOptions(durability: .none))
            guard commit % 5 == 0 || commit > 36 else { continue }
            for snapshot in [writer.snapshot(), try StoreReader(at: path).snapshot()] {
                let query = (0..<2).map { _ in Float(Int.random(in: -3...3, using: &generator)) }
                for filter in MetadataModel.filters + [.nothing] {
                    for limit in [0, 1, 5, 1000] {
                        #expect(
                            try snapshot.nearest(to: query, limit: limit, where: filter)
                                == Self.oracle(model, query, filter, limit: limit),
                            "seed \(seed), commit \(commit), \(filter), \(limit) rows")
                    }
                }
            }
        }
    }

    @Test("a store without metadata, and names that it does not have, are asked like any other")
    func withoutMetadata() throws {
        var writer = try StoreWriter.create(at: path, dimension: 1)
        try writer.append(ids: [1, 2, 3], components: [1, 2, 3])
        let snapshot = writer.snapshot()
        let all = try snapshot.nearest(to: [0], limit: 10)
        #expect(all.map(\.id) == [1, 2, 3])
        #expect(try snapshot.nearest(to: [0], limit: 10, where: .not(.exists("a"))) == all)
        #expect(try snapshot.nearest(to: [0], limit: 10, where: .field("a", .notEqual, 1)) == [])
    }

    @Test("a snapshot goes on answering by its own metadata and schema")
    func olderSnapshot() throws {
        var writer = try StoreWriter.create(at: path, dimension: 1)
        try writer.append([Row(id: 1, vector: [1], metadata: ["a": 1]), Row(id: 2, vector: [2], metadata: ["a": 2])])
        let before = try StoreReader(at: path).snapshot()
        try writer.append([Row(id: 1, vector: [1], metadata: ["b": "x"])])
        for _ in 0..<2 {
            #expect(try before.nearest(to: [0], limit: 9, where: .field("a", .equal, 1)).map(\.id) == [1])
            #expect(try before.nearest(to: [0], limit: 9, where: .exists("b")) == [])
            #expect(try writer.snapshot().nearest(to: [0], limit: 9, where: .exists("b")).map(\.id) == [1])
            #expect(try writer.snapshot().nearest(to: [0], limit: 9, where: .exists("a")).map(\.id) == [2])
        }
    }

    @Test("damaged metadata is an error for a filter only, whatever the policy about rows")
    func damage() throws {
        var writer = try StoreWriter.create(at: path, dimension: 1)
        try writer.append([Row(id: 1, vector: [1], metadata: ["a": "some text"])])
        try writer.close()
        var bytes = try scratch.read()
        let place = try #require(Data(bytes).firstRange(of: Data("some text".utf8)))
        bytes[place.lowerBound] ^= 1
        try scratch.write(bytes)
        let snapshot = try StoreReader(at: path).snapshot()
        #expect(try snapshot.nearest(to: [0], limit: 1).count == 1)
        for policy in [DamagePolicy.refuse, .passOver] {
            guard case .damaged? = storeError({ () throws(StoreError) in
                try snapshot.nearest(to: [0], limit: 1, where: .exists("a"), onDamage: policy)
            }) else {
                Issue.record("damage was not noticed")
                return
            }
        }
    }
}
