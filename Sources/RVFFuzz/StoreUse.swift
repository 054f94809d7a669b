import RVFCommand
import RVFConformance
import RVFHost
import RVFLock
import RVFStore
import SystemPackage

/// Everything that can be done with a store, which may fail and must not trap.
enum StoreUse {
    static func everything(_ file: [UInt8]) throws {
        try FuzzDirectory.withDirectory { directory in
            let path = directory.path("data.rvf")
            try directory.write(file, to: "data.rvf")
            for mode in [ReadMode.mapped, .positional] {
                var options = ReaderOptions()
                options.readMode = mode
                guard let snapshot = try? StoreReader(at: path, options: options).snapshot() else { continue }
                look(snapshot)
                _ = try? snapshot.ids(onDamage: .passOver)
                _ = try? snapshot.damages()
                try? snapshot.forEachRow(onDamage: .passOver) { _, _ in }
                _ = try? snapshot.backup(to: directory.path("copy-\(mode).rvf"))
                _ = try? snapshot.derive(to: directory.path("child-\(mode).rvf"))
            }
            _ = try? StoreVerification.run(at: path)
            _ = try? StoreConformance.run(at: path, options: WorkOptions())
            var options = RepairOptions()
            options.includesUnnamedRows = true
            _ = try? StoreRepair.run(from: path, to: directory.path("repaired.rvf"), options: options)
            write(path)
        }
    }

    /// Whatever a state can be asked for.
    static func look(_ snapshot: Snapshot, _ ids: [UInt64] = []) {
        _ = (snapshot.liveCount, snapshot.segments.map(\.type.description), snapshot.identity, snapshot.profile)
        for id in ids + [0, 3, .max] {
            _ = try? snapshot.vector(id: id)
            _ = try? snapshot.metadata(of: id)
        }
        _ = try? snapshot.metadataFields
        _ = try? snapshot.fileMetadata
        _ = try? snapshot.checkpoints
        _ = try? snapshot.ids(where: .any([.exists("s"), .field("i", .less, 3)]), onDamage: .passOver)
        let query = [Float](repeating: 1, count: snapshot.dimension)
        _ = try? snapshot.nearest(to: query, limit: 3, onDamage: .passOver)
    }

    private static func write(_ path: FilePath) {
        guard var writer = try? open(path) else { return }
        var transaction = Transaction()
        transaction.upsert([Row(id: 77, vector: [Float](repeating: 1, count: Snapshot(core: writer.snapshot).dimension))])
        transaction.delete(ids: [1, 2])
        transaction.setMetadata("n", to: 3, for: 77)
        transaction.setFileMetadata(.bool(true), for: "k")
        transaction.setCheckpoint(source: "source", count: .max, offset: [])
        _ = try? writer.commit(transaction)
        _ = try? writer.compact(WorkOptions())
    }

    /// What `rvf ingest` does with an array of rows, in one commit.
    static func ingest(_ text: [UInt8]) throws {
        guard let rows = RowText.rows(text, dimension: 2) else { return }
        var transaction = Transaction()
        transaction.upsert(ids: rows.map(\.id), components: rows.flatMap(\.vector))
        for row in rows {
            if let metadata = row.metadata { transaction.setMetadata(metadata, for: row.id) }
        }
        try FuzzDirectory.withDirectory { directory in
            var options = WriterOptions()
            options.lock.renewal = .manual
            var writer = try StoreWriterCore.create(
                host: POSIXHost(), registry: LockRegistry(), path: directory.path("data.rvf"), dimension: 2,
                metric: .squaredL2, options: options)
            _ = try? writer.commit(transaction)
        }
    }

    /// A writer that nobody else in the process knows of, and that needs no timer.
    static func open(_ path: FilePath) throws(StoreError) -> StoreWriterCore<POSIXHost> {
        var options = WriterOptions()
        options.lock.renewal = .manual
        return try StoreWriterCore.open(host: POSIXHost(), registry: LockRegistry(), path: path, options: options)
    }
}
