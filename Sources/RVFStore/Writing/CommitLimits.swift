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

    package init() {}

    /// How many rows a vector segment may take.
    func rowsPerSegment(dimension: Int) -> Int {
        let stride = VectorPayload.strideBytes(dimension: dimension)
        return max(1, (segmentByteCount - VectorPayload.headerByteCount) / stride)
    }
}
