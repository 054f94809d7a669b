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

    /// What a segment is, for people. Types that everybody may use for something else have a name only where the payload
    /// begins as this package's do.
    package func typeName(of header: SegmentHeader, at offset: UInt64) throws(StoreError) -> String {
        switch header.type {
        case .checkpoints, .rowIndex, .metric:
            try beginsAsOwn(header, at: offset) ? "\(header.type)" : header.type.number
        default: "\(header.type)"
        }
    }

    /// Whether a segment is of a private type, and its payload begins as this package's do.
    func beginsAsOwn(_ header: SegmentHeader, at offset: UInt64) throws(StoreError) -> Bool {
        let magic: UInt64
        switch header.type {
        case .checkpoints: magic = CheckpointPayload.magic
        case .rowIndex: magic = RowIndexPayload.magic
        case .metric: magic = MetricPayload.magic
        default: return false
        }
        let payload = DirectoryEntry(header, at: offset).payloadOffset
        guard header.payloadByteCount >= 8, payload <= byteCount, byteCount - payload >= 8 else { return false }
        return try withBytes(at: payload, count: 8) { (head) throws(StoreError) in
            head.integer(UInt64.self, at: 0) == magic
        }
    }

    /// Whether a segment is another writer's: of a type, or a version, that is carried along as it is.
    func isForeign(_ header: SegmentHeader, at offset: UInt64) throws(StoreError) -> Bool {
        if header.version != SegmentHeader.currentVersion { return true }
        if header.type.isRewritten { return false }
        return try !isOwnSideSegment(DirectoryEntry(header, at: offset))
    }
}
