package import RVFHost
import Synchronization

/// One commit of one file: everything that can be read of it, and nothing that changes. Safe to share between threads.
package final class SnapshotCore<H: Host>: Sendable {
    package let source: ByteSource<H>
    package let manifest: FoundManifest
    /// The manifest's deleted ids, rising.
    package let deletedIDs: [UInt64]
    private let table: Lazy<VectorTable>
    private let index: Lazy<RowIndex>
    /// What earlier snapshots found out about the same file, until it has been made use of.
    private let known: Mutex<Known>

    private struct Known: Sendable {
        var table: VectorTable?
        /// Over the rows of `table`.
        var index: RowIndex?
    }

    /// - Parameter previous: a snapshot of an earlier commit of the same open file.
    package init(source: ByteSource<H>, manifest: FoundManifest, previous: SnapshotCore<H>? = nil) {
        self.source = source
        self.manifest = manifest
        deletedIDs = Self.rising(manifest.payload.deletedIDs)
        table = Lazy()
        index = Lazy()
        known = Mutex(previous?.findings ?? Known())
    }

    private var findings: Known {
        if let index = index.ifMade { return Known(table: table.ifMade, index: index) }
        let inherited = known.withLock { $0 }
        return inherited.index == nil ? Known(table: table.ifMade ?? inherited.table) : inherited
    }

    /// Peers write the list rising; one that is not is brought in order.
    private static func rising(_ ids: [UInt64]) -> [UInt64] {
        let isRising = (1..<max(ids.count, 1)).allSatisfy { ids[$0 - 1] < ids[$0] }
        return isRising ? ids : Array(Set(ids)).sorted()
    }

    package func vectorTable() throws(StoreError) -> VectorTable {
        try table.get { () throws(StoreError) in
            try VectorTable(manifest, in: source, known: known.withLock { $0.table })
        }
    }

    /// The index over all rows, made at the first call: every vector segment is checked and every id read, except
    /// what an earlier snapshot of the file had read.
    package func rowIndex() throws(StoreError) -> RowIndex {
        try index.get { () throws(StoreError) in
            let table = try vectorTable()
            var index = RowIndex()
            var first = 0
            let known = known.withLock { $0 }
            if let knownTable = known.table, let knownIndex = known.index, table.begins(with: knownTable) {
                index = knownIndex
                first = knownTable.segments.count
            }
            index.append(try readRun(of: table, fromSegment: first))
            self.known.withLock { $0 = Known() }
            return index
        }
    }

    /// Reads the ids of all segments from one on. Rows whose segment is damaged are listed as they stand, so that an
    /// older row does not come to light in place of one that cannot be read.
    private func readRun(of table: VectorTable, fromSegment first: Int) throws(StoreError) -> RowRun {
        guard first < table.segments.count else { return RowRun(unsortedIDs: [], firstRow: 0) }
        let firstRow = table.firstRow(ofSegment: first)
        var ids: [UInt64] = []
        ids.reserveCapacity(table.rowCount - Int(firstRow))
        for segment in table.segments[first...] {
            _ = try damage(of: segment)
            try segment.forEachPiece(in: source) { (rows, _, count) throws(StoreError) in
                let stride = rows.byteCount / count
                for row in 0..<count { ids.append(rows.integer(UInt64.self, at: row * stride)) }
            }
        }
        return RowRun(unsortedIDs: ids, firstRow: firstRow)
    }

    /// What is wrong with a segment, nil if nothing is. An error of the system is thrown.
    package func damage(of segment: VectorSegment) throws(StoreError) -> StoreError? {
        do throws(StoreError) {
            _ = try segment.checkedLayout(in: source)
            return nil
        } catch {
            if case .damaged = error { return error }
            throw error
        }
    }

    /// Checks all vector segments that have not been checked.
    package func damages() throws(StoreError) -> [StoreError] {
        var damages: [StoreError] = []
        for segment in try vectorTable().segments {
            if let damage = try damage(of: segment) { damages.append(damage) }
        }
        return damages
    }

    package func isDeleted(_ id: UInt64) -> Bool {
        deletedIDs.positionInRising(id) != nil
    }
}

extension VectorTable {
    /// Whether an earlier table's segments are this one's first ones, so that row numbers mean the same.
    func begins(with earlier: VectorTable) -> Bool {
        earlier.segments.count <= segments.count
            && earlier.segments.indices.allSatisfy { earlier.segments[$0] === segments[$0] }
    }
}
