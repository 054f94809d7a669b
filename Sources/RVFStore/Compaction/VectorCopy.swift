import RVFHost

/// Copies rows into vector segments of bounded size, and checks the hash of every segment that they come from over the
/// very bytes that are copied.
struct VectorCopy<H: Host>: ~Copyable {
    private let source: ByteSource<H>
    private let table: VectorTable
    private let live: LiveRows
    private let dimension: Int
    private let rowsPerSegment: Int
    /// The segments written so far.
    private(set) var entries: [DirectoryEntry] = []
    /// Their hashes.
    private(set) var hashes: [ContentHash] = []
    private var nextID: UInt64
    /// Live rows that no segment was begun for.
    private var rowsLeft: Int
    private var rowsLeftInSegment = 0
    private var checksum = CRC32()
    /// Told of the rows that are copied.
    private(set) var metadata: MetadataSurvival?

    init(
        _ table: VectorTable, live: LiveRows, in source: ByteSource<H>, dimension: Int, firstID: UInt64,
        limits: CommitLimits, metadata: MetadataSurvival?
    ) {
        self.table = table
        self.live = live
        self.source = source
        self.dimension = dimension
        nextID = firstID
        rowsLeft = live.liveCount
        self.metadata = metadata
        rowsPerSegment = Self.rowsPerSegment(dimension, limits)
    }

    private static func rowsPerSegment(_ dimension: Int, _ limits: CommitLimits) -> Int {
        let room = limits.segmentByteCount - VectorPayload.headerByteCount
        return max(1, room / VectorPayload.strideBytes(dimension: dimension))
    }

    /// How many segments some rows will take.
    static func segmentCount(rowCount: Int, dimension: Int, limits: CommitLimits) -> Int {
        let atOnce = rowsPerSegment(dimension, limits)
        return (rowCount + atOnce - 1) / atOnce
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
        let head = payload.encodedHead
        checksum = CRC32()
        checksum.update(head.bytes)
        // The header holds the checksum of what follows it, and comes last.
        try stream.append([UInt8](repeating: 0, count: SegmentHeader.byteCount).bytes)
        try stream.append(head.bytes)
    }

    private mutating func end(_ stream: inout CopyStream<H>) throws(StoreError) {
        let entry = entries[entries.count - 1]
        hashes.append(ContentHash(checksum: checksum.value))
        let header = SegmentHeader(
            type: .vectors, id: entry.id, payloadByteCount: entry.payloadByteCount,
            hash: ContentHash(checksum: checksum.value))
        try stream.replace(header.encoded, at: entry.offset)
    }
}
