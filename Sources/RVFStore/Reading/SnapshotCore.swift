package import RVFHost
import Synchronization

/// One commit of one file: everything that can be read of it, and nothing that changes. Safe to share between threads.
package final class SnapshotCore<H: Host>: Sendable {
    package let source: ByteSource<H>
    package let manifest: FoundManifest
    /// The manifest's deleted ids, rising.
    package let deletedIDs: [UInt64]
    private let table: Lazy<VectorTable>
    private let finder = Lazy<RowFinder>()
    private let index = Lazy<RowIndex>()
    private let live = Lazy<RowSet>()
    private let checkpoints = Lazy<CheckpointState>()
    /// What an earlier snapshot of the same file had found out, until it has been made use of.
    private let known: Mutex<VectorTable?>
    private let loadedMetadata: Lazy<LoadedMetadata>
    /// As ``known``.
    private let knownMetadata: Mutex<LoadedMetadata?>

    /// - Parameter previous: a snapshot of an earlier commit of the same open file.
    package init(source: ByteSource<H>, manifest: FoundManifest, previous: SnapshotCore<H>? = nil) {
        self.source = source
        self.manifest = manifest
        deletedIDs = Self.rising(manifest.payload.deletedIDs)
        table = Lazy()
        // What rows look like depends on the dimension.
        let isAlike = previous?.manifest.payload.dimension == manifest.payload.dimension
        known = Mutex(isAlike ? previous.flatMap { $0.table.ifMade ?? $0.known.withLock { $0 } } : nil)
        loadedMetadata = Lazy()
        knownMetadata = Mutex(previous?.metadataIfKnown)
    }

    /// The snapshot of a commit whose writer knows its segments already.
    ///
    /// - Parameters:
    ///   - metadata: what the commit made of it; nil where it left it as it was.
    ///   - previous: the snapshot before.
    init(
        source: ByteSource<H>, manifest: FoundManifest, table: VectorTable, metadata: LoadedMetadata?,
        previous: SnapshotCore<H>
    ) {
        self.source = source
        self.manifest = manifest
        deletedIDs = Self.rising(manifest.payload.deletedIDs)
        self.table = Lazy(table)
        known = Mutex(nil)
        loadedMetadata = Lazy(metadata)
        knownMetadata = Mutex(metadata == nil ? previous.metadataIfKnown : nil)
    }

    private var metadataIfKnown: LoadedMetadata? { loadedMetadata.ifMade ?? knownMetadata.withLock { $0 } }

    /// The metadata, if it has been read.
    var metadataIfRead: LoadedMetadata? { loadedMetadata.ifMade }

    /// The metadata, read at the first call; of what an earlier snapshot of the file had read, only what is new is.
    package func metadata() throws(StoreError) -> LoadedMetadata {
        try loadedMetadata.get { () throws(StoreError) in
            let metadata = try LoadedMetadata(
                metadataEntries, damaged: manifest.damaged, in: source, known: knownMetadata.withLock { $0 })
            knownMetadata.withLock { $0 = nil }
            return metadata
        }
    }

    /// The metadata segments that the manifest names, whoever wrote them.
    var metadataEntries: [DirectoryEntry] { manifest.payload.directory.filter { $0.type == .metadata } }

    /// Peers write the list rising; one that is not is brought in order.
    private static func rising(_ ids: [UInt64]) -> [UInt64] {
        let isRising = (1..<max(ids.count, 1)).allSatisfy { ids[$0 - 1] < ids[$0] }
        return isRising ? ids : Array(Set(ids)).sorted()
    }

    /// - Parameter other: another snapshot of the same file and dimension, whose segments are taken over.
    package func vectorTable(sharing other: SnapshotCore<H>? = nil) throws(StoreError) -> VectorTable {
        // Asked before this table's mutex is held: the other may be asking the same of this one.
        let shared = other?.table.ifMade
        return try table.get { () throws(StoreError) in
            let table = try VectorTable(manifest, in: source, known: shared ?? known.withLock { $0 })
            known.withLock { $0 = nil }
            return table
        }
    }

    /// What finds the rows of single ids. It is made at the first call, which reads the head of a row index for each
    /// vector segment, and all ids of those that have none and that no earlier snapshot of the file had read.
    func rowFinder() throws(StoreError) -> RowFinder {
        try finder.get { () throws(StoreError) in try RowFinder(try vectorTable().segments, in: source) }
    }

    /// The index over all rows, made at the first call: every row index is checked, and every id read of vector
    /// segments that have none, once for all snapshots of the file. Rows whose segment is damaged are listed as they
    /// stand, so that an older row does not come to light in place of one that cannot be read.
    package func rowIndex() throws(StoreError) -> RowIndex {
        try index.get { () throws(StoreError) in
            let table = try vectorTable()
            var runs: [RowRun] = []
            runs.reserveCapacity(table.segments.count)
            for (number, segment) in table.segments.enumerated() {
                runs.append(try segment.rowRun(in: source).shifted(by: table.firstRow(ofSegment: number)))
            }
            return RowIndex(runs: runs)
        }
    }

    /// The rows that can be found, those of damaged segments among them: of every id that is not deleted the newest.
    package func liveRows() throws(StoreError) -> RowSet {
        try live.get { () throws(StoreError) in
            let index = try rowIndex()
            var rows = RowSet(rowCount: try vectorTable().rowCount)
            var deleted = deletedIDs[...]
            index.forEach { id, row in
                while let first = deleted.first, first < id { deleted.removeFirst() }
                if deleted.first != id { rows.insert(Int(row)) }
            }
            return rows
        }
    }

    /// Where the headers of the row indexes stand that speak of this state's segments, for who lists a file.
    package func rowIndexOffsets() throws(StoreError) -> [UInt64] {
        guard let fileID = manifest.payload.identity?.fileID else { return [] }
        var offsets: [UInt64] = []
        for segment in try vectorTable().segments where try segment.findIndex(ofFile: fileID, in: source) != nil {
            if let offset = StoredRowIndex.offset(behind: segment.entry) { offsets.append(offset) }
        }
        return offsets
    }

    /// How many distinct ids there are, deleted ones included.
    func idCount() throws(StoreError) -> Int {
        var count = 0
        try rowIndex().forEach { _, _ in count += 1 }
        return count
    }

    /// What is wrong with a segment, nil if nothing is. An error of the system is thrown.
    package func damage(of segment: VectorSegment) throws(StoreError) -> StoreError? {
        try segment.damage(in: source)
    }

    /// Checks all vector segments that have not been checked.
    package func damages() throws(StoreError) -> [StoreError] {
        var damages: [StoreError] = []
        for segment in try vectorTable().segments {
            if let damage = try damage(of: segment) { damages.append(damage) }
        }
        return damages
    }

    func checkpointState() throws(StoreError) -> CheckpointState {
        try checkpoints.get { () throws(StoreError) in try readCheckpoints() }
    }

    /// Those of some ids of which there is a row.
    func present(_ ids: [UInt64]) throws(StoreError) -> [UInt64] {
        let finder = try rowFinder()
        var present: [UInt64] = []
        for id in ids where try finder.find(id, in: source) != nil { present.append(id) }
        return present
    }

    /// Whether nothing is known to be wrong with any vector segment, and all ids are known; see
    /// ``VectorSegment/isUsable(in:)``.
    func isWhole() throws(StoreError) -> Bool {
        for segment in try vectorTable().segments where try !segment.isUsable(in: source) { return false }
        return true
    }

    /// What is wrong with the first vector segment of which nobody knows which ids it has.
    func damageOfUnknownIDs() throws(StoreError) -> StoreError? {
        for segment in try vectorTable().segments where try !segment.isIndexed(in: source) {
            if let damage = try damage(of: segment) { return damage }
        }
        return nil
    }

    package func isDeleted(_ id: UInt64) -> Bool {
        deletedIDs.positionInRising(id) != nil
    }
}
