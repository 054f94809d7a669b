import RVFStore
import SystemPackage
import Testing

/// What a store should hold of everything that it can hold, kept as dictionaries, and transactions that change it.
struct StoreModel: Equatable {
    var content = MetadataModel()
    var checkpoints: [String: Checkpoint] = [:]

    static let dimension = 3

    init() {}

    /// What can be read of a state.
    init(_ snapshot: Snapshot) throws {
        try snapshot.forEachRow { content.rows[$0] = $1.array() }
        for id in content.rows.keys { content.metadata[id] = try snapshot.metadata(of: id) }
        content.file = try snapshot.fileMetadata
        for checkpoint in try snapshot.checkpoints { checkpoints[checkpoint.source] = checkpoint }
    }

    /// Small whole numbers: many rows are alike, many lie at the same distance, and no sum is rounded.
    static func vector(_ generator: inout SeededGenerator) -> [Float] {
        (0..<dimension).map { _ in Float(Int.random(in: -2...2, using: &generator)) }
    }

    // MARK: Changing

    /// A transaction that does something of everything; the model is then what it leaves.
    ///
    /// - Parameter number: which one it is of its history; it always changes the file's metadata.
    mutating func randomTransaction(_ number: Int, _ generator: inout SeededGenerator) -> Transaction {
        var transaction = Transaction()
        let before = content
        var upserted: Set<UInt64> = []
        transaction.setFileMetadata(.int64(Int64(number)), for: "commit")
        content.file["commit"] = .int64(Int64(number))
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
            switch Int.random(in: 0..<11, using: &generator) {
            case 0...2: upsertRows(&transaction, &upserted, &generator)
            case 3...4: upsertFlat(&transaction, &upserted, &generator)
            case 5:
                let ids = Self.randomIDs(&generator)
                transaction.delete(ids: ids)
                content.delete(ids)
            case 6:
                let filters: [MetadataFilter] = [
                    .field("n", .equal, 3), .field("text", hasPrefix: "ü"), .isNull("n"),
                    .all([.exists("flag"), .field("real", .greater, 0.7)]),
                ]
                let filter = filters.randomElement(using: &generator)!
                transaction.delete(where: filter)
                content.delete(before.ids(where: filter))
            case 7...8: changeMetadata(&transaction, &generator)
            case 9:
                let key = ["one", "two", "ü"].randomElement(using: &generator)!
                let value = Bool.random(using: &generator) ? MetadataModel.randomValue(of: "text", &generator) : nil
                transaction.setFileMetadata(value, for: key)
                content.file[key] = value
            default: changeCheckpoint(&transaction, &generator)
            }
        }
        return transaction
    }

    private static func randomIDs(_ generator: inout SeededGenerator) -> [UInt64] {
        let count = [1, 1, 2, 5, 40].randomElement(using: &generator)!
        // Few, so that rows are replaced, deleted and revived; some far away from the others.
        return (0..<count).map { _ in
            let id = UInt64.random(in: 0..<60, using: &generator)
            return id % 11 == 10 ? .max - id : id
        }
    }

    private mutating func upsertRows(
        _ transaction: inout Transaction, _ upserted: inout Set<UInt64>, _ generator: inout SeededGenerator
    ) {
        var rows: [Row] = []
        for id in Self.randomIDs(&generator) where upserted.insert(id).inserted {
            let fields = Bool.random(using: &generator) ? MetadataModel.randomFields(&generator) : nil
            let vector = Self.vector(&generator)
            rows.append(Row(id: id, vector: vector, metadata: fields))
            content.rows[id] = vector
            if let fields { content.metadata[id] = fields.isEmpty ? nil : fields }
        }
        transaction.upsert(rows)
    }

    private mutating func upsertFlat(
        _ transaction: inout Transaction, _ upserted: inout Set<UInt64>, _ generator: inout SeededGenerator
    ) {
        let ids = Self.randomIDs(&generator).filter { upserted.insert($0).inserted }
        var components: [Float] = []
        for id in ids {
            let vector = Self.vector(&generator)
            content.rows[id] = vector
            components += vector
        }
        transaction.upsert(ids: ids, components: components)
    }

    private mutating func changeMetadata(_ transaction: inout Transaction, _ generator: inout SeededGenerator) {
        guard let id = content.rows.keys.sorted().randomElement(using: &generator) else { return }
        let name = ["n", "text", "real", "flag"].randomElement(using: &generator)!
        var fields = content.metadata[id] ?? [:]
        switch Int.random(in: 0..<3, using: &generator) {
        case 0:
            fields[name] = MetadataModel.randomValue(of: name, &generator)
            transaction.setMetadata(name, to: fields[name]!, for: id)
        case 1:
            fields = MetadataModel.randomFields(&generator)
            transaction.setMetadata(fields, for: id)
        default:
            fields[name] = nil
            transaction.removeMetadata(name, for: id)
        }
        content.metadata[id] = fields.isEmpty ? nil : fields
    }

    private mutating func changeCheckpoint(_ transaction: inout Transaction, _ generator: inout SeededGenerator) {
        let source = ["queue", "ü", "third"].randomElement(using: &generator)!
        let stored = checkpoints[source]
        switch Int.random(in: 0..<8, using: &generator) {
        case 0:
            transaction.removeCheckpoint(source: source)
            checkpoints[source] = nil
        case 1:
            let count = UInt64.random(in: 0...(stored?.count ?? 5), using: &generator)
            checkpoints[source] = Checkpoint(source: source, count: count, offset: [9])
            transaction.restoreCheckpoint(source: source, count: count, offset: [9])
        default:
            let count = (stored?.count ?? 0) + UInt64.random(in: 1...5, using: &generator)
            let offset = [UInt8](repeating: UInt8(count % 251), count: Int.random(in: 0...40, using: &generator))
            checkpoints[source] = Checkpoint(source: source, count: count, offset: offset)
            transaction.setCheckpoint(source: source, count: count, offset: offset)
        }
    }

    // MARK: Comparing

    /// What changed since an earlier state, by a look at all rows.
    func changes(since old: StoreModel) -> SnapshotChanges {
        let (new, old) = (content.rows, old.content.rows)
        return SnapshotChanges(
            added: new.keys.filter { old[$0] == nil }.sorted(),
            replaced: new.keys.filter { old[$0] != nil && !Self.areSame(old[$0]!, new[$0]!) }.sorted(),
            removed: old.keys.filter { new[$0] == nil }.sorted())
    }

    /// By their bits.
    private static func areSame(_ left: [Float], _ right: [Float]) -> Bool {
        left.map(\.bitPattern) == right.map(\.bitPattern)
    }

    /// Compares everything that a snapshot says.
    func expect(_ snapshot: Snapshot, _ query: [Float], _ note: String) throws {
        try content.expect(snapshot, note)
        let found = try StoreModel(snapshot).checkpoints
        #expect(found == checkpoints, "\(note)")
        #expect(try snapshot.ids() == content.rows.keys.sorted(), "\(note)")
        // Other writers list deleted ids of which there is no row.
        if snapshot.core.manifest.payload.mark?.isCounted == true {
            #expect(snapshot.liveCount == content.rows.count, "\(note)")
        }
        for id in (0..<60 as Range<UInt64>).filter({ $0 % 5 == 0 }) + [.max, .max - 10, .max - 21] {
            let vector = try snapshot.vector(id: id)
            if vector != content.rows[id] { Issue.record("id \(id), \(note)") }
        }
        let all = content.rows.map { SearchHit(id: $0.key, distance: Self.distance(query, $0.value, snapshot.metric)) }
            .sorted(by: SearchHit.isNearer)
        for limit in [3, 1000] {
            let hits = try snapshot.nearest(to: query, limit: limit)
            if hits != Array(all.prefix(limit)) { Issue.record("nearest \(limit), \(note)") }
        }
    }

    /// In double precision.
    private static func distance(_ query: [Float], _ row: [Float], _ metric: Metric) -> Float {
        func product(_ left: [Float], _ right: [Float]) -> Double {
            zip(left, right).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        }
        switch metric {
        case .squaredL2: return Float(product(query, query) + product(row, row) - 2 * product(query, row))
        case .innerProduct: return Float(-product(query, row))
        default:
            let lengths = product(query, query).squareRoot() * product(row, row).squareRoot()
            return lengths == 0 ? 1 : Float(1 - product(query, row) / lengths)
        }
    }
}
