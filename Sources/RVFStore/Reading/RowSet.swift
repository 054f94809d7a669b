/// A set of rows, one bit each.
package struct RowSet: Sendable {
    private var words: [UInt64]
    /// How many rows are in the set.
    package private(set) var count = 0

    /// An empty set.
    ///
    /// - Parameter rowCount: rows from 0 to below this may be put in.
    package init(rowCount: Int) {
        words = [UInt64](repeating: 0, count: (rowCount + 63) / 64)
    }

    package mutating func insert(_ row: Int) {
        guard !contains(row) else { return }
        words[row / 64] |= 1 << UInt64(row % 64)
        count += 1
    }

    @inline(__always)
    package func contains(_ row: Int) -> Bool {
        words[row / 64] & 1 << UInt64(row % 64) != 0
    }
}
