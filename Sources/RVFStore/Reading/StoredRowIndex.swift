import RVFHost

/// A row index of this package's where it stands in a file, as far as its head says.
struct StoredRowIndex: Sendable {
    let payload: RowIndexPayload
    private let payloadOffset: UInt64
    /// The CRC-32 that the payload should have.
    private let checksum: UInt32

    /// More rows than this are not taken from an index, nor put into one: what is checked, or read where nothing is
    /// mapped, is bounded, to as many rows as a compaction compares in memory.
    static var rowLimit: Int { 1_500_000 }

    /// Where an index of a vector segment stands, if there is one; nil where none can.
    static func offset(behind entry: DirectoryEntry) -> UInt64? {
        guard let end = entry.end, end <= .max - UInt64(2 * SegmentHeader.byteCount) else { return nil }
        return end.alignedToSegment
    }

    /// The index right behind a vector segment, if it speaks of that segment: of its store, its length and its hash.
    ///
    /// - Parameters:
    ///   - hash: of the segment's header. Nothing speaks of a segment without one.
    init?<H: Host>(
        describing entry: DirectoryEntry, hash: ContentHash, rowCount: Int, fileID: [UInt8], in source: ByteSource<H>
    ) throws(StoreError) {
        guard hash.expectedChecksum != nil, rowCount > 0, rowCount <= Self.rowLimit,
            let offset = Self.offset(behind: entry), let header = try source.header(at: offset),
            header.type == .rowIndex, header.version == SegmentHeader.currentVersion, header.compression == 0,
            let checksum = header.hash.expectedChecksum, let end = header.end(at: offset), end <= source.byteCount,
            header.payloadByteCount >= UInt64(RowIndexPayload.headByteCount)
        else { return nil }
        payloadOffset = offset + UInt64(SegmentHeader.byteCount)
        self.checksum = checksum
        let head = try source.read(at: payloadOffset, count: RowIndexPayload.headByteCount)
        guard let payload = try? RowIndexPayload(head: head.bytes, payloadByteCount: header.payloadByteCount),
            payload.rowCount == rowCount, payload.fileID == fileID, payload.describedHash == hash,
            payload.describedByteCount == entry.payloadByteCount
        else { return nil }
        self.payload = payload
    }

    /// An index that was just written; nil where its checksum reads as none.
    init?(written entry: DirectoryEntry, _ bytes: [UInt8]) {
        let hash = ContentHash(checksum: CRC32.of(bytes.bytes))
        guard let checksum = hash.expectedChecksum,
            let payload = try? RowIndexPayload(head: bytes.bytes, payloadByteCount: entry.payloadByteCount)
        else { return nil }
        payloadOffset = entry.payloadOffset
        self.checksum = checksum
        self.payload = payload
    }

    private func offset(_ inPayload: Int) -> Int { Int(payloadOffset) + inPayload }

    /// Whether all of it was there when a source was opened: a segment is shared by snapshots of several moments.
    private func isWithin<H: Host>(_ source: ByteSource<H>) -> Bool {
        payloadOffset + UInt64(payload.byteCount) <= source.byteCount
    }

    /// Reads all of it. Nil where it is not what its hash says, or not what its head says.
    ///
    /// - Returns: the run. Where the file is mapped, ``run(in:)`` gives it again at no cost.
    func checkedRun<H: Host>(in source: ByteSource<H>) throws(StoreError) -> RowRun? {
        guard isWithin(source) else { return nil }
        guard source.map == nil else {
            let isRight = try source.checksum(at: payloadOffset, count: UInt64(payload.byteCount)) == checksum
            let isSound = try source.withBytes(at: payloadOffset, count: payload.byteCount) {
                (bytes) throws(StoreError) in isRight && payload.isSound(bytes)
            }
            return isSound ? run(in: source) : nil
        }
        let bytes = try source.read(at: payloadOffset, count: payload.byteCount)
        guard CRC32.of(bytes.bytes) == checksum, payload.isSound(bytes.bytes) else { return nil }
        let ids = (0..<payload.rowCount).map {
            bytes.bytes.integer(UInt64.self, at: RowIndexPayload.idsOffset + 8 * $0)
        }
        let rows = payload.rowsOffset.map { start in
            (0..<payload.rowCount).map { bytes.bytes.integer(UInt32.self, at: start + 4 * $0) }
        }
        return RowRun(ids: ids, rows: rows ?? [])
    }

    /// The run where it stands; nil where the file is not mapped.
    func run<H: Host>(in source: ByteSource<H>) -> RowRun? {
        guard let mapping = source.map, isWithin(source) else { return nil }
        return RowRun(
            mapping: mapping, ids: offset(RowIndexPayload.idsOffset), rows: payload.rowsOffset.map(offset),
            count: payload.rowCount)
    }
}
