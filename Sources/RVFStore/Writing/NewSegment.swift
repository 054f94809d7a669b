/// The rows of a vector segment that a commit writes, in their order.
struct NewSegment: Sendable {
    enum Part: Sendable {
        /// Rows of the batch.
        case new(Range<Int>)
        /// Those of a range of a stored segment's rows that are in a set.
        case stored(VectorSegment, Range<Int>, keep: RowSet)
    }

    private(set) var parts: [Part] = []
    private(set) var rowCount = 0

    /// Deals rows out to segments of at most so many rows.
    static func split(
        stored: [(segment: VectorSegment, keep: RowSet)], newRowCount: Int, rowsPerSegment: Int
    ) -> [NewSegment] {
        var segments: [NewSegment] = []
        var open = NewSegment()
        for (segment, keep) in stored where keep.count > 0 {
            let rowCount = segment.layout?.rowCount ?? 0
            if open.rowCount + keep.count <= rowsPerSegment {
                open.append(.stored(segment, 0..<rowCount, keep: keep), rowCount: keep.count)
                continue
            }
            var start = 0
            var count = 0
            for row in 0..<rowCount where keep.contains(row) {
                if open.rowCount + count == rowsPerSegment {
                    open.append(.stored(segment, start..<row, keep: keep), rowCount: count)
                    segments.append(open)
                    open = NewSegment()
                    start = row
                    count = 0
                }
                count += 1
            }
            open.append(.stored(segment, start..<rowCount, keep: keep), rowCount: count)
        }
        var row = 0
        while row < newRowCount {
            if open.rowCount == rowsPerSegment {
                segments.append(open)
                open = NewSegment()
            }
            let count = min(rowsPerSegment - open.rowCount, newRowCount - row)
            open.append(.new(row..<(row + count)), rowCount: count)
            row += count
        }
        if open.rowCount > 0 { segments.append(open) }
        return segments
    }

    private mutating func append(_ part: Part, rowCount count: Int) {
        guard count > 0 else { return }
        parts.append(part)
        rowCount += count
    }
}
