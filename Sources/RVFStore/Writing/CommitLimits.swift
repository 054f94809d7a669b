/// What a file may grow to so that every reader of the format can still open it.
package struct CommitLimits: Sendable {
    /// Other readers look for a manifest's header in the last 64 KiB only. One header's length is kept as a margin.
    package static let manifestByteCount = 65_536 - SegmentHeader.byteCount
    /// How far from the end other readers find a header.
    package static let reachByteCount: UInt64 = 65_536
    /// Other readers refuse segments over 256 MiB. Far less is checked faster when one row is asked for, and 2,600
    /// directory entries are still room for 160 GiB.
    package static let segmentByteCount = 64 << 20

    /// How long a vector segment's payload may become; at least one row goes into each.
    package var segmentByteCount = CommitLimits.segmentByteCount

    /// From which length on a vector segment's payload has a row index behind it. What has none is read, and kept in
    /// memory, 8 to 12 bytes a row, by whoever looks for an id: of this length there are some thirty at most beside
    /// the full ones, 2 MB to check once. And of a payload of this length with 128 dimensions the index adds less
    /// than two percent.
    package var indexedByteCount = 1 << 16

    package init() {}

    /// Whether a vector segment has a row index.
    func isIndexed(rowCount: Int, dimension: Int) -> Bool {
        rowCount <= StoredRowIndex.rowLimit
            && VectorPayload(dimension: dimension, rowCount: rowCount).byteCount >= indexedByteCount
    }

    /// The payload of a row index is no longer; 0 where there is none.
    func rowIndexByteCountLimit(rowCount: Int, dimension: Int) -> Int {
        isIndexed(rowCount: rowCount, dimension: dimension) ? RowIndexPayload.byteCountLimit(rowCount: rowCount) : 0
    }

    /// How many rows a vector segment may take.
    func rowsPerSegment(dimension: Int) -> Int {
        let stride = VectorPayload.strideBytes(dimension: dimension)
        return max(1, (segmentByteCount - VectorPayload.headerByteCount) / stride)
    }
}
