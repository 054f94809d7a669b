/// Where the parts of a commit go: vector segments, then the manifest, each header at a multiple of 64 bytes, so that
/// it lies within one sector of the medium, and everything behind what the file holds.
package struct CommitLayout: Equatable, Sendable {
    package struct Piece: Equatable, Sendable {
        package var entry: DirectoryEntry
        package var payload: VectorPayload
    }

    package var pieces: [Piece] = []
    package var manifestOffset: UInt64
    package var manifestID: UInt64

    /// Offsets that the system can express, with room for what one commit adds.
    private static let offsetLimit = UInt64(Int64.max) >> 1

    /// Nil where an offset or a segment id would be beyond what can be expressed.
    ///
    /// - Parameters:
    ///   - rowCounts: how many rows each vector segment has.
    ///   - fileByteCount: where the commit begins.
    ///   - firstID: the first segment id that is free.
    ///   - shift: how many multiples of 64 bytes to leave free in front.
    package init?(
        rowCounts: [Int], dimension: Int, fileByteCount: UInt64, firstID: UInt64, shift: Int
    ) {
        let alignment = UInt64(SegmentHeader.byteCount)
        guard fileByteCount <= Self.offsetLimit, firstID <= Self.offsetLimit else { return nil }
        var offset = Self.aligned(fileByteCount) + alignment * UInt64(shift)
        var id = firstID
        for count in rowCounts {
            let payload = VectorPayload(dimension: dimension, rowCount: count)
            let entry = DirectoryEntry(
                id: id, offset: offset, payloadByteCount: UInt64(payload.byteCount), type: .vectors)
            pieces.append(Piece(entry: entry, payload: payload))
            id += 1
            offset = Self.aligned(offset + alignment + UInt64(payload.byteCount))
            guard offset <= Self.offsetLimit else { return nil }
        }
        manifestOffset = offset
        manifestID = id
    }

    private static func aligned(_ offset: UInt64) -> UInt64 {
        let alignment = UInt64(SegmentHeader.byteCount)
        return (offset + alignment - 1) / alignment * alignment
    }
}
