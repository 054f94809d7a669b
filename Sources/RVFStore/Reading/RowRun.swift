/// Ids, strictly rising, and the number of the newest row of each: 12 bytes a row.
package struct RowRun: Sendable {
    package private(set) var ids: [UInt64] = []
    package private(set) var rows: [UInt32] = []

    package var count: Int { ids.count }

    private struct Pair {
        var id: UInt64
        var row: UInt32
    }

    /// - Parameters:
    ///   - unsortedIDs: ids in the order of their rows; where one stands twice, the later row counts.
    ///   - firstRow: the number of the first of these rows.
    package init(unsortedIDs: [UInt64], firstRow: UInt32) {
        let count = unsortedIDs.count
        let isRising = (1..<max(count, 1)).allSatisfy { unsortedIDs[$0 - 1] < unsortedIDs[$0] }
        if isRising {
            ids = unsortedIDs
            rows = (0..<count).map { firstRow + UInt32($0) }
            return
        }
        var pairs = unsortedIDs.indices.map { Pair(id: unsortedIDs[$0], row: firstRow + UInt32($0)) }
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
                append(older.ids[left], older.rows[left])
                left += 1
            } else {
                if older.ids[left] == newer.ids[right] { left += 1 }
                append(newer.ids[right], newer.rows[right])
                right += 1
            }
        }
        ids.append(contentsOf: older.ids[left...])
        rows.append(contentsOf: older.rows[left...])
        ids.append(contentsOf: newer.ids[right...])
        rows.append(contentsOf: newer.rows[right...])
    }

    /// The number of the newest row with this id.
    package func row(of id: UInt64) -> UInt32? {
        ids.positionInRising(id).map { rows[$0] }
    }

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
