/// Ids, strictly rising, and the number of the newest row of each: 8 bytes a row where the rows stand in the order of
/// their ids, else 12. A run is never changed.
package struct RowRun: Sendable {
    package private(set) var ids: [UInt64] = []
    /// Row numbers before ``base`` is added; empty where each is its id's position.
    private var rows: [UInt32] = []
    private var base: UInt32 = 0

    package var count: Int { ids.count }

    private struct Pair {
        var id: UInt64
        var row: UInt32
    }

    package init() {}

    /// - Parameter unsortedIDs: ids in the order of their rows, from row 0; where one stands twice, the later row
    ///   counts.
    package init(unsortedIDs: [UInt64]) {
        let count = unsortedIDs.count
        let isRising = (1..<max(count, 1)).allSatisfy { unsortedIDs[$0 - 1] < unsortedIDs[$0] }
        if isRising {
            ids = unsortedIDs
            return
        }
        var pairs = unsortedIDs.indices.map { Pair(id: unsortedIDs[$0], row: UInt32($0)) }
        pairs.sort { $0.id != $1.id ? $0.id < $1.id : $0.row < $1.row }
        reserve(count)
        for index in pairs.indices where index + 1 == count || pairs[index + 1].id != pairs[index].id {
            append(pairs[index].id, pairs[index].row)
        }
    }

    /// The union of two runs; where both have an id, the newer one's row counts.
    package init(merging older: RowRun, _ newer: RowRun) {
        reserve(older.count + newer.count)
        var left = 0
        var right = 0
        while left < older.count, right < newer.count {
            if older.ids[left] < newer.ids[right] {
                append(older.ids[left], older.row(at: left))
                left += 1
            } else {
                if older.ids[left] == newer.ids[right] { left += 1 }
                append(newer.ids[right], newer.row(at: right))
                right += 1
            }
        }
        for position in left..<older.count { append(older.ids[position], older.row(at: position)) }
        for position in right..<newer.count { append(newer.ids[position], newer.row(at: position)) }
    }

    /// The same run with every row number raised.
    package func shifted(by offset: UInt32) -> RowRun {
        var run = self
        run.base += offset
        return run
    }

    /// The number of the newest row with the id at a position.
    package func row(at position: Int) -> UInt32 {
        base + (rows.isEmpty ? UInt32(position) : rows[position])
    }

    /// The number of the newest row with this id.
    package func row(of id: UInt64) -> UInt32? {
        // Ids are mostly given rising, and most runs then lie wholly beside the one that is looked for.
        guard let first = ids.first, let last = ids.last, first <= id, id <= last else { return nil }
        return ids.positionInRising(id).map(row(at:))
    }

    package func contains(_ id: UInt64) -> Bool { row(of: id) != nil }

    private mutating func reserve(_ count: Int) {
        ids.reserveCapacity(count)
        rows.reserveCapacity(count)
    }

    private mutating func append(_ id: UInt64, _ row: UInt32) {
        ids.append(id)
        rows.append(row)
    }
}

extension [UInt64] {
    /// Where a value stands in an array whose values rise.
    func positionInRising(_ value: UInt64) -> Int? {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < value { low = middle + 1 } else { high = middle }
        }
        return low < count && self[low] == value ? low : nil
    }
}
