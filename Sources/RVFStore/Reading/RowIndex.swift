/// From id to row, for all rows that a manifest's vector segments hold, deleted ones included: complete, for searches
/// that ask for many ids. Whoever wants a few goes by a ``RowFinder``.
///
/// It is put together from one run for each segment, which the segment keeps. So the index of a commit costs as much
/// as there are segments, not rows, also where a commit has replaced some of them and every row after those has
/// another number; and since segments are merged by size, there are few, most of them small.
package struct RowIndex: Sendable {
    /// In the order of the segments, with row numbers that go through all of them.
    private let runs: [RowRun]

    /// - Parameter runs: of all segments in their order; a row with a higher number is newer.
    package init(runs: [RowRun]) {
        self.runs = runs
    }

    /// The number of the newest row with this id.
    package func row(of id: UInt64) -> UInt32? {
        for run in runs.reversed() {
            if let row = run.row(of: id) { return row }
        }
        return nil
    }

    /// Calls with all ids, rising, and their newest rows.
    package func forEach<Failure: Error>(
        _ body: (_ id: UInt64, _ row: UInt32) throws(Failure) -> Void
    ) throws(Failure) {
        var merge = RowMerge(runs)
        while let next = merge.next() { try body(next.id, next.row) }
    }
}
