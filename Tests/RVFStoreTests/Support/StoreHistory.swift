import RVFReference
import RVFStore
import RVFTestSupport
import SystemPackage
import Testing

/// A store and all who read it, through a random history of commits, compactions, reopenings and other writers; after
/// every step all of them must see what a model says.
struct StoreHistory: ~Copyable {
    let scratch = Scratch()
    let seed: UInt64
    private var generator: SeededGenerator
    private var model = StoreModel()
    /// Records that a peer left, which deleted their rows: they come to light where it adds these again.
    private var ghosts: [UInt64: [String: MetadataValue]] = [:]
    private var options = WriterOptions()
    private let readers: [StoreReader]
    /// Snapshots that somebody goes on using, with the number of the file that they are of.
    private var held: [(snapshot: Snapshot, model: StoreModel, file: Int)] = []
    private var fileNumber = 0
    private let hasPeers: Bool

    private var path: FilePath { scratch("data.rvf") }

    init(seed: UInt64) throws {
        self.seed = seed
        generator = SeededGenerator(seed: seed)
        hasPeers = seed % 3 != 0
        // Segments that are soon full, or all in one; all with a row index, the larger ones, or none.
        options.limits.segmentByteCount = [300, 1500, 64 << 20].randomElement(using: &generator)!
        options.limits.indexedByteCount = [0, 200, 64 << 20].randomElement(using: &generator)!
        options.readMode = Bool.random(using: &generator) ? .mapped : .positional
        options.witnesses = Bool.random(using: &generator)
        let metric = [Metric.squaredL2, .innerProduct, .cosine].randomElement(using: &generator)!
        let path = scratch("data.rvf")
        try StoreWriter.create(at: path, dimension: StoreModel.dimension, metric: metric, options: options).close()
        var positional = ReaderOptions()
        positional.readMode = .positional
        readers = [try StoreReader(at: path), try StoreReader(at: path, options: positional)]
    }

    mutating func run(steps: Int) throws {
        var writer = try StoreWriter.open(at: path, options: options)
        for step in 0..<steps {
            let note = "seed \(seed), step \(step)"
            switch Int.random(in: 0..<24, using: &generator) {
            case 0:
                try writer.close()
                writer = try StoreWriter.open(at: path, options: options)
            case 1:
                try writer.compact()
                ghosts = [:]
                fileNumber += 1
            case 2...4 where hasPeers:
                try writer.close()
                try peer(note)
                writer = try StoreWriter.open(at: path, options: options)
            case 5: try writer.sync()
            default: try commit(to: &writer, step, note)
            }
            try compare(writer.snapshot(), note)
            if step % 16 == 15 { try copies(writer.snapshot(), note) }
        }
        try writer.close()
        for (snapshot, model, _) in held { try model.expect(snapshot, [1, 0, 2], "seed \(seed), held") }
        try copies(StoreReader(at: path).snapshot(), "seed \(seed), end")
    }

    private mutating func commit(to writer: inout StoreWriter, _ step: Int, _ note: String) throws {
        let before = writer.snapshot().segments.filter { $0.type == .metadata }
        let transaction = model.randomTransaction(step, &generator)
        let durability = [CommitOptions.Durability.ordered, .ordered, .singleSync, .none]
            .randomElement(using: &generator)!
        try writer.commit(transaction, options: CommitOptions(durability: durability))
        // With the first commit of metadata they are gone.
        if writer.snapshot().segments.filter({ $0.type == .metadata }) != before { ghosts = [:] }
        let reference = try ReferenceStore(at: path)
        #expect(reference.rows == model.content.rows, "reference, \(note)")
        #expect(reference.total == UInt64(reference.distinctCount), "\(note)")
        #expect(reference.deleted == Set(reference.deleted).sorted(), "\(note)")
        let chain = try MetadataChainBytes(at: path)
        #expect(chain.records == Set(model.content.metadata.keys), "chain, \(note)")
    }

    // MARK: Other writers

    private mutating func peer(_ note: String) throws {
        let before = try scratch.read()
        if Int.random(in: 0..<3, using: &generator) == 0 {
            try scratch.write(ReferenceWriter.compacting(before).file, to: "new.rvf")
            try FileManagement.rename(scratch("new.rvf"), to: path)
            fileNumber += 1
        } else {
            var peer = try ReferenceWriter(reopening: before)
            for _ in 0..<Int.random(in: 1...3, using: &generator) { append(&peer) }
            try scratch.append(peer.file[before.count...])
        }
        // A checkpoint may fall back; it never goes ahead.
        let found = try StoreModel(StoreReader(at: path).snapshot()).checkpoints
        for (source, checkpoint) in found {
            let limit = model.checkpoints[source]
            #expect(limit != nil && checkpoint.count <= limit!.count, "\(source), \(note)")
        }
        model.checkpoints = found
    }

    private mutating func append(_ peer: inout ReferenceWriter) {
        let ids = Array(Set((0..<4).map { _ in UInt64.random(in: 0..<60, using: &generator) })).sorted()
        if Bool.random(using: &generator) {
            peer.delete(ids)
            for id in ids {
                if let fields = model.content.metadata[id] { ghosts[id] = fields }
            }
            model.content.delete(ids)
        } else {
            let rows = ids.map { ($0, StoreModel.vector(&generator)) }
            peer.ingest(rows, witnessed: Bool.random(using: &generator))
            // What it has deleted stays deleted.
            for (id, vector) in rows where !peer.deleted.contains(id) {
                if model.content.rows[id] == nil, let fields = ghosts[id] { model.content.metadata[id] = fields }
                model.content.rows[id] = vector
            }
        }
    }

    // MARK: Looking

    private mutating func compare(_ own: Snapshot, _ note: String) throws {
        let query = StoreModel.vector(&generator)
        for reader in readers { try reader.refresh() }
        let fresh = try StoreReader(at: path).snapshot()
        let snapshots = [own, fresh] + readers.map { $0.snapshot() }
        for (number, snapshot) in snapshots.enumerated() {
            try model.expect(snapshot, query, "\(note), \(["writer", "fresh", "mapped", "positional"][number])")
        }
        let fileNumber = fileNumber
        for old in held.filter({ $0.file == fileNumber }).shuffled(using: &generator).prefix(2) {
            let snapshot = snapshots.randomElement(using: &generator)!
            let changes = try snapshot.changes(since: old.snapshot)
            #expect(changes == model.changes(since: old.model), "\(note), since \(old.snapshot.epoch)")
        }
        if let old = held.randomElement(using: &generator) {
            try old.model.expect(old.snapshot, query, "\(note), held from \(old.snapshot.epoch)")
        }
        if Int.random(in: 0..<3, using: &generator) == 0 {
            held.append((snapshots.randomElement(using: &generator)!, model, fileNumber))
        }
    }

    /// What is made of the store, and what a check of every byte says.
    private func copies(_ snapshot: Snapshot, _ note: String) throws {
        let report = try StoreVerification.run(at: path)
        #expect(report.isIntact, "\(note): \(report.problems)")
        if !hasPeers { #expect(report.warningCount == 0, "\(note): \(report.problems)") }
        _ = try snapshot.backup(to: scratch("backup.rvf"))
        try model.expect(StoreReader(at: scratch("backup.rvf")).snapshot(), [1, 1, 2], "\(note), backup")
        var child = model
        child.checkpoints = [:]
        _ = try snapshot.derive(to: scratch("child.rvf"))
        try child.expect(StoreReader(at: scratch("child.rvf")).snapshot(), [1, 1, 2], "\(note), child")
        let repair = try StoreRepair.run(from: path, to: scratch("repaired.rvf"))
        try child.expect(StoreReader(at: scratch("repaired.rvf")).snapshot(), [1, 1, 2], "\(note), \(repair)")
        for name in ["backup.rvf", "child.rvf", "repaired.rvf"] { try FileManagement.remove(scratch(name)) }
    }
}
