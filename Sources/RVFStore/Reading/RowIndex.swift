/// From id to row, for all rows that a manifest's vector segments hold, deleted ones included.
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

    /// All ids, rising, with their newest rows.
    package func merged() -> RowRun {
        var runs = runs.filter { $0.count > 0 }
        // Neighbours pairwise: every row is then copied as often as the number of runs can be halved.
        while runs.count > 1 {
            runs = stride(from: 0, to: runs.count, by: 2).map {
                $0 + 1 < runs.count ? RowRun(merging: runs[$0], runs[$0 + 1]) : runs[$0]
            }
        }
        return runs.first ?? RowRun()
    }
}
