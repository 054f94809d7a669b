import RVFHost

/// Ids, strictly rising, and the row of each. They stand in memory (8 bytes a row where the rows are in the order of
/// their ids, else 12), or in a row index of a mapped file, where they cost nothing. A run is never changed.
package struct RowRun: Sendable {
    private enum Storage: Sendable {
        /// No row numbers where each is its id's position.
        case memory(ids: [UInt64], rows: [UInt32])
        /// Offsets in the file of ids and of row numbers.
        case file(Mapping, ids: Int, rows: Int?)
    }

    private let storage: Storage
    package let count: Int
    /// Added to every row number.
    private var base: UInt32 = 0

    package init() {
        storage = .memory(ids: [], rows: [])
        count = 0
    }

    /// - Parameter unsortedIDs: ids in the order of their rows, from row 0; where one stands twice, the later row
    ///   counts.
    package init(unsortedIDs: [UInt64]) {
        struct Pair {
            var id: UInt64
            var row: UInt32
        }
        let isRising = (1..<max(unsortedIDs.count, 1)).allSatisfy { unsortedIDs[$0 - 1] < unsortedIDs[$0] }
        if isRising {
            self.init(ids: unsortedIDs, rows: [])
            return
        }
        var pairs = unsortedIDs.indices.map { Pair(id: unsortedIDs[$0], row: UInt32($0)) }
        pairs.sort { $0.id != $1.id ? $0.id < $1.id : $0.row < $1.row }
        var ids: [UInt64] = []
        var rows: [UInt32] = []
        ids.reserveCapacity(pairs.count)
        rows.reserveCapacity(pairs.count)
        for index in pairs.indices where index + 1 == pairs.count || pairs[index + 1].id != pairs[index].id {
            ids.append(pairs[index].id)
            rows.append(pairs[index].row)
        }
        self.init(ids: ids, rows: rows)
    }

    /// - Parameters:
    ///   - ids: strictly rising.
    ///   - rows: the row of each; empty where each is its id's position.
    init(ids: [UInt64], rows: [UInt32]) {
        storage = .memory(ids: ids, rows: rows)
        count = ids.count
    }

    /// What a mapped row index says. It was checked, but the file may change under the map, so whatever is read is
    /// checked again for its range, and nothing depends on its order but which row is found.
    ///
    /// - Parameters:
    ///   - ids: where `count` ids begin, within the map.
    ///   - rows: where as many row numbers begin; nil where each is its id's position.
    init(mapping: Mapping, ids: Int, rows: Int?, count: Int) {
        storage = .file(mapping, ids: ids, rows: rows)
        self.count = count
    }

    /// The same run with every row number raised.
    package func shifted(by offset: UInt32) -> RowRun {
        var run = self
        run.base += offset
        return run
    }

    /// Ids and rows, where they are in memory and counted from 0.
    var arrays: (ids: [UInt64], rows: [UInt32])? {
        guard case .memory(let ids, let rows) = storage, base == 0 else { return nil }
        return (ids, rows)
    }

    package func id(at position: Int) -> UInt64 {
        switch storage {
        case .memory(let ids, _): ids[position]
        case .file(let mapping, let ids, _): mapping.bytes.integer(UInt64.self, at: ids + 8 * position)
        }
    }

    /// The number of the newest row with the id at a position.
    package func row(at position: Int) -> UInt32 {
        switch storage {
        case .memory(_, let rows): return base + (rows.isEmpty ? UInt32(position) : rows[position])
        case .file(_, _, nil): return base + UInt32(position)
        case .file(let mapping, _, let rows?):
            // A number that cannot be is taken for the last row, which does not have the id and says so.
            return base + min(mapping.bytes.integer(UInt32.self, at: rows + 4 * position), UInt32(count - 1))
        }
    }

    /// The number of the newest row with this id.
    package func row(of id: UInt64) -> UInt32? {
        position(of: id).map(row(at:))
    }

    package func contains(_ id: UInt64) -> Bool { position(of: id) != nil }

    private func position(of id: UInt64) -> Int? {
        switch storage {
        case .memory(let ids, _):
            return Self.position(of: id, count) { ids[$0] }
        case .file(let mapping, let ids, _):
            let bytes = mapping.bytes
            return Self.position(of: id, count) { bytes.integer(UInt64.self, at: ids + 8 * $0) }
        }
    }

    /// A guess from the ids at both ends, which is right at once where ids have no gaps, and near where they are spread
    /// evenly; then steps that double until they are beyond the id, and halves.
    @inline(__always)
    private static func position(of id: UInt64, _ count: Int, _ idAt: (Int) -> UInt64) -> Int? {
        guard count > 0 else { return nil }
        let first = idAt(0)
        let last = idAt(count - 1)
        // Ids are mostly given rising, and most runs then lie wholly beside the one that is looked for.
        guard first <= id, id <= last else { return nil }
        if first == last { return 0 }
        let share = Double(id - first) / Double(last - first)
        let guess = min(Int(share * Double(count - 1)), count - 1)
        var low = 0
        var high = count
        var step = 1
        let found = idAt(guess)
        if found == id { return guess }
        if found < id {
            low = guess + 1
            while low + step < high, idAt(low + step) < id {
                low += step + 1
                step *= 2
            }
            high = min(high, low + step + 1)
        } else {
            high = guess
            while high - step > low, idAt(high - step) > id {
                high -= step
                step *= 2
            }
            low = max(low, high - step)
        }
        while low < high {
            let middle = (low + high) / 2
            if idAt(middle) < id { low = middle + 1 } else { high = middle }
        }
        return low < count && idAt(low) == id ? low : nil
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
