/// Which vector segments are rewritten so that a deleted list becomes short enough: an id may leave the list only when
/// no segment has a row of it any more.
struct PurgeSelection {
    private let deletedIDs: [UInt64]
    private let runs: [RowRun]
    private var isReplaced: [Bool]
    /// In how many segments each deleted id has rows, those that are rewritten anyway left out.
    private var segmentCounts: [UInt16]
    private var remainingCount = 0

    /// - Parameters:
    ///   - deletedIDs: rising.
    ///   - runs: of all vector segments.
    ///   - replaced: the segments that are rewritten anyway.
    init(deletedIDs: [UInt64], runs: [RowRun], replaced: [Range<Int>]) {
        self.deletedIDs = deletedIDs
        self.runs = runs
        isReplaced = [Bool](repeating: false, count: runs.count)
        segmentCounts = [UInt16](repeating: 0, count: deletedIDs.count)
        for ordinal in replaced.joined() where ordinal < runs.count { isReplaced[ordinal] = true }
        for ordinal in runs.indices where !isReplaced[ordinal] {
            forEachDeleted(in: runs[ordinal]) { position in
                let (sum, overflow) = segmentCounts[position].addingReportingOverflow(1)
                // So often counted, it counts for good, and stays on the list.
                segmentCounts[position] = overflow ? .max : sum
            }
        }
        remainingCount = segmentCounts.count { $0 > 0 }
    }

    /// The ids of which rows are left in segments that are not rewritten.
    var remainingIDs: [UInt64] { deletedIDs.indices.filter { segmentCounts[$0] > 0 }.map { deletedIDs[$0] } }

    /// The segments to rewrite, rising: those first in which most of the rows are deleted. Where any have to be, the
    /// list is brought to half of what there is room for, so that the next deletes do not ask for more at once.
    mutating func choose(keepingAtMost room: Int, rowCounts: [Int]) -> [Int] {
        guard remainingCount > room else { return [] }
        let candidates = runs.indices.filter { !isReplaced[$0] }.map { ordinal in
            var count = 0
            forEachDeleted(in: runs[ordinal]) { _ in count += 1 }
            return (ordinal: ordinal, share: Double(count) / Double(max(1, rowCounts[ordinal])))
        }
        var chosen: [Int] = []
        for candidate in candidates.sorted(by: { $0.share > $1.share }) where candidate.share > 0 {
            guard remainingCount > room / 2 else { break }
            chosen.append(candidate.ordinal)
            forEachDeleted(in: runs[candidate.ordinal]) { position in
                guard segmentCounts[position] < .max else { return }
                segmentCounts[position] -= 1
                if segmentCounts[position] == 0 { remainingCount -= 1 }
            }
        }
        return chosen.sorted()
    }

    /// Calls with the position of every deleted id that a run has; looks the fewer up among the more.
    private func forEachDeleted(in run: RowRun, _ body: (Int) -> Void) {
        if deletedIDs.count <= run.count {
            for position in deletedIDs.indices where run.contains(deletedIDs[position]) { body(position) }
        } else {
            for position in 0..<run.count {
                if let position = deletedIDs.positionInRising(run.id(at: position)) { body(position) }
            }
        }
    }
}
