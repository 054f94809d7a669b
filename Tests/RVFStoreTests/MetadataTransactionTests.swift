import RVFStore
import SystemPackage
import Testing

@Suite("Metadata in transactions")
struct MetadataTransactionTests {
    private let scratch = Scratch()
    private var path: FilePath { scratch("data.rvf") }

    private func row(_ id: UInt64, _ metadata: [String: MetadataValue]? = nil) -> Row {
        Row(id: id, vector: rows([id], dimension: 2)[0].1, metadata: metadata)
    }

    @Test("rows bring metadata, keep it when they are replaced, and lose it when they are deleted")
    func life() throws {
        var writer = try StoreWriter.create(at: path, dimension: 2)
        let first = try writer.append([row(1, ["a": 1, "b": "x"]), row(2, ["a": 2]), row(3)])
        #expect(first == CommitResult(epoch: 1, upserted: 3, deleted: 0, ignored: 0, metadataChanged: 2))
        let reader = try StoreReader(at: path)
        let before = reader.snapshot()
        #expect(try before.metadata(of: 1) == ["a": 1, "b": "x"])
        #expect(try before.metadata(of: 3) == nil)
        #expect(try before.metadataFields.map(\.name) == ["a", "b"])
        // Without: as it was. With: exactly that.
        try writer.append([row(1), row(2, ["b": "y"])])
        #expect(try reader.refresh())
        #expect(try reader.snapshot().metadata(of: 1) == ["a": 1, "b": "x"])
        #expect(try reader.snapshot().metadata(of: 2) == ["b": "y"])
        #expect(try writer.delete(ids: [1, 9]).metadataChanged == 1)
        #expect(try reader.refresh())
        #expect(try reader.snapshot().metadata(of: 1) == nil)
        try writer.append([row(1)])
        #expect(try reader.refresh())
        #expect(try reader.snapshot().metadata(of: 1) == nil)
        #expect(try before.metadata(of: 2) == ["a": 2])
        #expect(try MetadataChainBytes(at: path).records == [2])
    }

    @Test("operations count in their order, and metadata alone is a commit")
    func order() throws {
        var writer = try StoreWriter.create(at: path, dimension: 2)
        try writer.append([row(1, ["a": 1]), row(2, ["a": 2])])
        var transaction = Transaction()
        transaction.setMetadata("b", to: true, for: 5)
        transaction.upsert([row(5)])
        transaction.delete(ids: [1])
        transaction.upsert([row(1)])
        transaction.setMetadata("c", to: 0.5, for: 1)
        transaction.setMetadata("a", to: 9, for: 2)
        transaction.setMetadata(["b": false], for: 2)
        transaction.removeMetadata("zzz", for: 2)
        transaction.setFileMetadata("mini", for: "model")
        #expect(try writer.commit(transaction).metadataChanged == 3)
        let snapshot = try StoreReader(at: path).snapshot()
        #expect(try snapshot.metadata(of: 1) == ["c": 0.5])
        #expect(try snapshot.metadata(of: 2) == ["b": false])
        #expect(try snapshot.metadata(of: 5) == ["b": true])
        #expect(try snapshot.fileMetadata == ["model": "mini"])
        var alone = Transaction()
        alone.setMetadata("a", to: 3, for: 2)
        let result = try writer.commit(alone)
        #expect(result == CommitResult(epoch: 3, upserted: 0, deleted: 0, ignored: 0, metadataChanged: 1))
        // The same again changes nothing, and is none.
        #expect(try writer.commit(alone) == CommitResult(epoch: 3, upserted: 0, deleted: 0, ignored: 0))
        #expect(try StoreReader(at: path).snapshot().metadata(of: 2) == ["a": 3, "b": false])
    }

    @Test("deletes by a filter look at the store as it is before the transaction")
    func deletesByFilter() throws {
        var writer = try StoreWriter.create(at: path, dimension: 2)
        try writer.append((1...6).map { row($0, ["n": .int64(Int64($0 % 3))]) } + [row(7)])
        var transaction = Transaction()
        transaction.setMetadata("n", to: 1, for: 3)
        transaction.upsert([row(8, ["n": 1])])
        transaction.delete(where: try MetadataFilter("n = 1"))
        transaction.upsert([row(4)])
        let result = try writer.commit(transaction)
        #expect(result == CommitResult(epoch: 2, upserted: 2, deleted: 1, ignored: 0, metadataChanged: 4))
        let snapshot = try StoreReader(at: path).snapshot()
        #expect(try snapshot.ids() == [2, 3, 4, 5, 6, 7, 8])
        #expect(try snapshot.metadata(of: 3) == ["n": 1])
        #expect(try snapshot.metadata(of: 4) == nil)
        #expect(try snapshot.ids(where: .not(.exists("n"))) == [4, 7])
        var rest = Transaction()
        rest.delete(where: .everything)
        #expect(try writer.commit(rest).deleted == 7)
        #expect(try StoreReader(at: path).snapshot().ids() == [])
    }

    @Test("metadata for an id without a row is refused by that id, and nothing of the transaction is taken")
    func missingRows() throws {
        var writer = try StoreWriter.create(at: path, dimension: 2)
        try writer.append([row(1, ["a": 1]), row(2)])
        let length = try scratch.read().count
        for make: (inout Transaction) -> Void in [
            { $0.setMetadata("a", to: 1, for: 7) },
            { $0.upsert([self.row(7, ["a": 1])]); $0.delete(ids: [7]); $0.setMetadata("a", to: 1, for: 7) },
            { $0.upsert([self.row(3)]); $0.setMetadata("a", to: 1, for: 7); $0.setMetadata("a", to: 1, for: 8) },
        ] {
            var transaction = Transaction()
            make(&transaction)
            #expect(storeError { () throws(StoreError) in try writer.commit(transaction) }
                == .metadataWithoutRow(path, id: 7))
        }
        var highest = Transaction()
        highest.setMetadata("a", to: 1, for: .max)
        #expect(storeError { () throws(StoreError) in try writer.commit(highest) }
            == .metadataWithoutRow(path, id: .max))
        var deleted = Transaction()
        deleted.delete(ids: [2])
        deleted.setMetadata("a", to: 1, for: 2)
        let error = storeError { () throws(StoreError) in try writer.commit(deleted) }
        #expect(error == .metadataWithoutRow(path, id: 2))
        #expect("\(error!)".contains("id 2"))
        #expect(try scratch.read().count == length)
        // Given and taken away again is no mistake, and neither is taking what is not there.
        var harmless = Transaction()
        harmless.setMetadata("a", to: 1, for: 2)
        harmless.delete(ids: [2])
        harmless.removeMetadata("a", for: 70)
        #expect(try writer.commit(harmless).deleted == 1)
    }

    @Test("values that cannot be stored are refused with the path, and nothing of the transaction is taken")
    func invalidValues() throws {
        var writer = try StoreWriter.create(at: path, dimension: 2)
        try writer.append([row(1, ["a": 1])])
        let length = try scratch.read().count
        for (fields, expected) in [
            (["a": "text"], MetadataError.type(field: "a", is: .int64, given: .string)),
            (["b": .double(.infinity)], .notFinite(name: "b")), (["": 1], .name(byteCount: 0)),
        ] as [([String: MetadataValue], MetadataError)] {
            let error = storeError { () throws(StoreError) in try writer.append([row(2, fields)]) }
            #expect(error == .invalidMetadata(path, expected))
        }
        #expect(try scratch.read().count == length)
        #expect(try writer.snapshot().ids() == [1])
    }

    @Test("random transactions leave what dictionaries say, after every commit", arguments: 0..<6 as Range<UInt64>)
    func model(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var options = WriterOptions()
        options.limits.segmentByteCount = seed % 2 == 0 ? 1000 : 64 << 20
        options.readMode = seed % 3 == 0 ? .positional : .mapped
        var writer = try StoreWriter.create(at: path, dimension: 2, options: options)
        let reader = try StoreReader(at: path)
        var model = MetadataModel()
        var held: [(Snapshot, MetadataModel)] = []
        for commit in 0..<110 {
            let note = "seed \(seed), commit \(commit)"
            let transaction = randomTransaction(&model, Float(commit), &generator)
            let durability: CommitOptions.Durability = [.ordered, .singleSync, .none][commit % 3]
            try writer.commit(transaction, options: CommitOptions(durability: durability))
            try model.expect(at: path, note)
            try reader.refresh()
            try model.expect(reader.snapshot(), "\(note), refreshed")
            try model.expect(writer.snapshot(), "\(note), writer")
            if commit % 20 == 0 { held.append((reader.snapshot(), model)) }
            if commit % 37 == 36 {
                try writer.close()
                writer = try StoreWriter.open(at: path, options: options)
            }
            if commit % 50 == 49 {
                try writer.compact()
                try model.expect(at: path, "\(note), compacted")
                #expect(try MetadataChainBytes(at: path).deltaCount == 0, "\(note)")
            }
        }
        for (snapshot, model) in held { try model.expect(snapshot, "seed \(seed), held") }
    }

    private func randomTransaction(
        _ model: inout MetadataModel, _ version: Float, _ generator: inout SeededGenerator
    ) -> Transaction {
        var transaction = Transaction()
        var used: Set<UInt64> = []
        let before = model
        func randomIDs() -> [UInt64] {
            (0..<[1, 2, 9].randomElement(using: &generator)!).map { _ in UInt64.random(in: 0..<30, using: &generator) }
        }
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
            switch Int.random(in: 0..<8, using: &generator) {
            case 0, 1, 2:
                for (id, vector) in rows(randomIDs().filter { used.insert($0).inserted }, dimension: 2, version: version) {
                    let fields = Bool.random(using: &generator) ? MetadataModel.randomFields(&generator) : nil
                    transaction.upsert([Row(id: id, vector: vector, metadata: fields)])
                    model.rows[id] = vector
                    if let fields { model.metadata[id] = fields.isEmpty ? nil : fields }
                }
            case 3:
                let ids = randomIDs()
                transaction.delete(ids: ids)
                model.delete(ids)
            case 4:
                let filter = MetadataModel.filters.dropLast().randomElement(using: &generator)!
                transaction.delete(where: filter)
                model.delete(before.ids(where: filter))
            case 5:
                let value: MetadataValue? = Bool.random(using: &generator) ? .int64(Int64(version)) : nil
                transaction.setFileMetadata(value, for: "key")
                model.file["key"] = value
            default:
                // Ids that are deleted later would be given and taken away again, which is allowed.
                for id in randomIDs() where model.rows[id] != nil {
                    let name = ["n", "text", "real", "flag"].randomElement(using: &generator)!
                    if Bool.random(using: &generator) {
                        let value = MetadataModel.randomValue(of: name, &generator)
                        transaction.setMetadata(name, to: value, for: id)
                        model.metadata[id, default: [:]][name] = value
                    } else {
                        transaction.removeMetadata(name, for: id)
                        model.metadata[id]?[name] = nil
                        if model.metadata[id]?.isEmpty == true { model.metadata[id] = nil }
                    }
                }
            }
        }
        return transaction
    }
}
