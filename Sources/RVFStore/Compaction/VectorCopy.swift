import RVFHost

/// Copies rows into vector segments of bounded size, and checks the hash of every segment that they come from over the
/// very bytes that are copied.
struct VectorCopy<H: Host>: ~Copyable {
    private let source: ByteSource<H>
    private let table: VectorTable
    private let live: LiveRows
    private let dimension: Int
    private let limits: CommitLimits
    private let rowsPerSegment: Int
    private let fileID: [UInt8]
    private let metric: Metric
    /// The vector segments written so far.
    private(set) var entries: [DirectoryEntry] = []
    /// Their hashes.
    private(set) var hashes: [ContentHash] = []
    /// The segment id to give next.
    private(set) var nextID: UInt64
    /// Live rows that no segment was begun for.
    private var rowsLeft: Int
    private var rowsLeftInSegment = 0
    private var checksum = CRC32()
    /// Of the segment that is being written.
    private var index: RowIndexDraft?
    /// Told of the rows that are copied.
    private(set) var metadata: MetadataSurvival?

    /// - Parameter payload: what the new manifest says of the store.
    init(
        _ table: VectorTable, live: LiveRows, in source: ByteSource<H>, for payload: ManifestPayload, firstID: UInt64,
        limits: CommitLimits, metadata: MetadataSurvival?
    ) {
        self.table = table
        self.live = live
        self.source = source
        dimension = Int(payload.dimension)
        fileID = payload.identity?.fileID ?? []
        metric = payload.metric
        nextID = firstID
        rowsLeft = live.liveCount
        self.metadata = metadata
        self.limits = limits
        rowsPerSegment = limits.rowsPerSegment(dimension: dimension)
    }

    /// How many vector segments some rows will take.
    static func segmentCount(rowCount: Int, dimension: Int, limits: CommitLimits) -> Int {
        let atOnce = limits.rowsPerSegment(dimension: dimension)
        return (rowCount + atOnce - 1) / atOnce
    }

    /// More bytes than some rows will take, with their row indexes.
    static func byteCountLimit(rowCount: Int, dimension: Int, limits: CommitLimits) -> UInt64 {
        let count = segmentCount(rowCount: rowCount, dimension: dimension, limits: limits)
        let framing = 4 * SegmentHeader.byteCount + VectorPayload.headerByteCount + RowIndexPayload.headByteCount
        let perRow = VectorPayload.strideBytes(dimension: dimension) + RowIndexPayload.byteCountLimit(rowCount: 1)
            - RowIndexPayload.headByteCount
        return UInt64(count) * UInt64(framing) + UInt64(rowCount) * UInt64(perRow)
    }

    mutating func run(into stream: inout CopyStream<H>, _ pace: inout WorkPace<H>) throws(StoreError) {
        for (number, segment) in table.segments.enumerated() {
            guard let layout = segment.layout else { continue }
            let entry = segment.entry
            let firstRow = Int(table.firstRow(ofSegment: number))
            var sum = CRC32()
            try source.withBytes(at: entry.payloadOffset, count: VectorPayload.headerByteCount) {
                (head) throws(StoreError) in sum.update(head)
            }
            try segment.forEachPiece(in: source) { (bytes, firstOfPiece, count) throws(StoreError) in
                sum.update(bytes)
                try copy(bytes, firstRow: firstRow + firstOfPiece, count: count, into: &stream)
                try pace.advance(2 * bytes.byteCount)
            }
            try update(&sum, from: entry.payloadOffset + UInt64(layout.byteCount), to: entry)
            try check(sum, of: segment)
        }
    }

    /// What stands behind the rows belongs to the payload, and to its hash.
    private func update(_ sum: inout CRC32, from start: UInt64, to entry: DirectoryEntry) throws(StoreError) {
        let end = entry.payloadOffset + entry.payloadByteCount
        var position = start
        while position < end {
            let count = Int(min(UInt64(ByteSource<H>.windowByteCount), end - position))
            try source.withBytes(at: position, count: count) { (bytes) throws(StoreError) in sum.update(bytes) }
            position += UInt64(count)
        }
    }

    private func check(_ sum: CRC32, of segment: VectorSegment) throws(StoreError) {
        let offset = segment.entry.offset
        guard try source.header(at: offset)?.hash.verdict(onChecksum: sum.value) == .differs else { return }
        throw StoreError.damaged(
            source.file.path, offset: offset,
            what: "the vector segment here does not have the hash that its header gives; nothing was copied")
    }

    private mutating func copy(
        _ bytes: RawSpan, firstRow: Int, count: Int, into stream: inout CopyStream<H>
    ) throws(StoreError) {
        let stride = bytes.byteCount / count
        var position = 0
        while position < count {
            let run = live.runLength(from: firstRow + position, atMost: count - position)
            if live.isLive(firstRow + position) {
                var done = 0
                while done < run {
                    if rowsLeftInSegment == 0 { try begin(&stream) }
                    let step = min(run - done, rowsLeftInSegment)
                    let start = (position + done) * stride
                    let part = bytes.extracting(start..<(start + step * stride))
                    checksum.update(part)
                    metadata?.note(part, strideBytes: stride)
                    index?.add(part)
                    try stream.append(part)
                    rowsLeftInSegment -= step
                    done += step
                    if rowsLeftInSegment == 0 { try end(&stream) }
                }
            }
            position += run
        }
    }

    private mutating func begin(_ stream: inout CopyStream<H>) throws(StoreError) {
        rowsLeftInSegment = min(rowsPerSegment, rowsLeft)
        rowsLeft -= rowsLeftInSegment
        let payload = VectorPayload(dimension: dimension, rowCount: rowsLeftInSegment)
        try stream.align()
        entries.append(
            DirectoryEntry(
                id: nextID, offset: stream.position, payloadByteCount: UInt64(payload.byteCount), type: .vectors))
        nextID += 1
        index = RowIndexDraft(fileID: fileID, metric: metric, layout: payload, limits: limits)
        if index?.isIndexed == false { index = nil }
        let head = payload.encodedHead
        checksum = CRC32()
        checksum.update(head.bytes)
        // The header holds the checksum of what follows it, and comes last.
        try stream.append([UInt8](repeating: 0, count: SegmentHeader.byteCount).bytes)
        try stream.append(head.bytes)
    }

    private mutating func end(_ stream: inout CopyStream<H>) throws(StoreError) {
        let entry = entries[entries.count - 1]
        let hash = ContentHash(checksum: checksum.value)
        hashes.append(hash)
        let header = SegmentHeader(
            type: .vectors, id: entry.id, payloadByteCount: entry.payloadByteCount, hash: hash)
        try stream.replace(header.encoded, at: entry.offset)
        guard let payload = index?.finish(describing: entry.payloadByteCount, hash).payload else { return }
        index = nil
        try stream.append(payload, type: .rowIndex, id: nextID)
        nextID += 1
    }
}
