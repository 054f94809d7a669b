/// Which of a store's rows are still there: one bit for each, in the numbering of a ``VectorTable``.
struct LiveRows: Sendable {
    private var dead: [UInt64]
    let rowCount: Int
    private(set) var liveCount: Int

    init(rowCount: Int) {
        self.rowCount = rowCount
        liveCount = rowCount
        dead = [UInt64](repeating: 0, count: (rowCount + 63) / 64)
    }

    func isLive(_ row: Int) -> Bool {
        dead[row >> 6] & (1 << UInt64(row & 63)) == 0
    }

    /// How many rows, from one on, are alike: all live, or all dead.
    func runLength(from row: Int, atMost limit: Int) -> Int {
        let first = isLive(row)
        let uniform: UInt64 = first ? 0 : .max
        var end = row + 1
        while end < row + limit {
            if end & 63 == 0, end + 64 <= row + limit, dead[end >> 6] == uniform {
                end += 64
            } else if isLive(end) == first {
                end += 1
            } else {
                break
            }
        }
        return end - row
    }

    mutating func drop(_ row: Int) {
        guard isLive(row) else { return }
        dead[row >> 6] |= 1 << UInt64(row & 63)
        liveCount -= 1
    }
}
