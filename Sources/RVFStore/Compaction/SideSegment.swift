import RVFHost

/// The segments of private types that this package writes beside others, and can make anew at any time. Another
/// implementation may use the same types: what a payload says of itself tells whose it is.
extension ByteSource {
    /// Whether a segment is such a one, whole or not.
    func isOwnSideSegment(_ entry: DirectoryEntry) throws(StoreError) -> Bool {
        guard entry.type == .rowIndex, let end = entry.end, end <= byteCount else { return false }
        let count = Int(min(entry.payloadByteCount, UInt64(RowIndexPayload.headByteCount)))
        return try withBytes(at: entry.payloadOffset, count: count) { (head) throws(StoreError) in
            RowIndexPayload.isOwn(head)
        }
    }

    /// Whether a segment is another writer's: of a type, or a version, that is carried along as it is.
    func isForeign(_ header: SegmentHeader, at offset: UInt64) throws(StoreError) -> Bool {
        if header.version != SegmentHeader.currentVersion { return true }
        if header.type.isRewritten { return false }
        return try !isOwnSideSegment(DirectoryEntry(header, at: offset))
    }
}
