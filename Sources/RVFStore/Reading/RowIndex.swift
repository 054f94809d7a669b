/// From id to row, for all rows that a manifest's vector segments hold, deleted ones included.
///
/// Rows come in runs, the oldest first. A run is never changed, so indexes of later commits share those of earlier
/// ones; neighbours of similar size are merged, so that there are few, and a run can come from anywhere: from the rows
/// themselves, or from bytes that somebody wrote beside them.
package struct RowIndex: Sendable {
    package private(set) var runs: [RowRun] = []
    /// Distinct ids.
    package private(set) var idCount = 0

    package init() {}

    /// Adds rows that are newer than all that are in the index.
    package mutating func append(_ run: RowRun) {
        guard run.count > 0 else { return }
        idCount += run.ids.count { row(of: $0) == nil }
        runs.append(run)
        // A run at least twice as long as the next keeps their number logarithmic and every row merged as seldom.
        while runs.count > 1, runs[runs.count - 2].count < 2 * runs[runs.count - 1].count {
            let newer = runs.removeLast()
            let older = runs.removeLast()
            runs.append(RowRun(merging: older, newer))
        }
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
        // From the shortest on: every step is then as cheap as it can be.
        var result = runs.last ?? RowRun(unsortedIDs: [], firstRow: 0)
        for run in runs.dropLast().reversed() { result = RowRun(merging: run, result) }
        return result
    }
}
