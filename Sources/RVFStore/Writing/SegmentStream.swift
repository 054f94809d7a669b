import RVFHost
import SystemPackage

/// Writes a commit's bytes one after another through a buffer: few calls, and little memory however large a batch is.
struct SegmentStream<H: Host>: ~Copyable {
    private let file: BorrowedFile<H>
    private(set) var buffer: [UInt8]
    /// Where the buffer's first byte goes.
    private var bufferOffset: UInt64

    /// How much is collected before it is written: many times what a call costs, and little enough to stay in a
    /// processor's own cache.
    private static var bufferByteCount: Int { 1 << 18 }
    /// How many bytes of rows are checksummed at once, while they are in the nearest cache.
    private static var checksumByteCount: Int { 1 << 16 }

    /// - Parameters:
    ///   - buffer: empty; its memory is used.
    ///   - byteCount: no more than this will be written.
    init(_ file: BorrowedFile<H>, at offset: UInt64, buffer: consuming [UInt8] = [], expecting byteCount: UInt64) {
        self.file = file
        self.buffer = buffer
        bufferOffset = offset
        // Rows are added in pieces before it is seen that the buffer is full.
        let most = Self.bufferByteCount + Self.checksumByteCount
        self.buffer.reserveCapacity(Int(clamping: min(UInt64(most), byteCount)))
    }

    /// Where the next byte goes.
    var position: UInt64 { bufferOffset + UInt64(buffer.count) }

    /// Zeros up to an offset that is not behind.
    mutating func pad(to offset: UInt64) throws(StoreError) {
        buffer.append(contentsOf: repeatElement(0, count: Int(offset - position)))
        try flushIfFull()
    }

    mutating func append(_ bytes: [UInt8]) throws(StoreError) {
        try append(bytes.bytes)
    }

    /// A segment whose payload is at hand.
    mutating func append(
        _ payload: [UInt8], type: SegmentType, id: UInt64
    ) throws(StoreError) -> DirectoryEntry {
        try pad(to: position.alignedToSegment)
        let entry = DirectoryEntry(id: id, offset: position, payloadByteCount: UInt64(payload.count), type: type)
        let hash = ContentHash(checksum: CRC32.of(payload.bytes))
        try append(SegmentHeader(type: type, id: id, payloadByteCount: UInt64(payload.count), hash: hash).encoded)
        try append(payload)
        return entry
    }

    /// A vector segment, its header last, since it holds the checksum of what follows it; and its row index, if it
    /// has one.
    ///
    /// - Parameters:
    ///   - id: the next segment id to give; rises with every segment.
    ///   - index: for the row index of this segment; nothing has been added to it.
    ///   - rows: the batch of which the segment takes rows.
    ///   - source: where the stored segments are of which it takes rows.
    /// - Returns: the segment as readers will find it.
    mutating func append(
        _ segment: NewSegment, id: inout UInt64, layout: VectorPayload, index: RowIndexDraft, rows: UpsertRows,
        from source: ByteSource<H>
    ) throws(StoreError) -> VectorSegment {
        try pad(to: position.alignedToSegment)
        let entry = DirectoryEntry(
            id: id, offset: position, payloadByteCount: UInt64(layout.byteCount), type: .vectors)
        id += 1
        try append([UInt8](repeating: 0, count: SegmentHeader.byteCount))
        var checksum = CRC32()
        var index = index
        let head = layout.encodedHead
        checksum.update(head.bytes)
        try append(head)
        for part in segment.parts {
            switch part {
            case .new(let range):
                try append(rows, range, strideBytes: layout.strideBytes, &index, &checksum)
            case .stored(let stored, let range, let keep):
                try stored.forEachPiece(in: source, rows: range) { (bytes, first, count) throws(StoreError) in
                    try append(bytes, rows: first..<(first + count), keep: keep, &index, &checksum)
                }
            }
        }
        let hash = ContentHash(checksum: checksum.value)
        let header = SegmentHeader(
            type: .vectors, id: entry.id, payloadByteCount: entry.payloadByteCount, hash: hash)
        try replace(header.encoded, at: entry.offset)
        let (run, payload) = index.finish(describing: entry.payloadByteCount, hash)
        guard let payload else {
            return VectorSegment(written: entry, layout: layout, hash: hash, ids: SegmentIDs(run: run))
        }
        let indexEntry = try append(payload, type: .rowIndex, id: id)
        id += 1
        // From now on the ids are in the file, and its head need not be looked up there.
        let ids = StoredRowIndex(written: indexEntry, payload).map { SegmentIDs(index: $0) }
        return VectorSegment(
            written: entry, layout: layout, hash: hash, ids: ids ?? SegmentIDs(fileID: index.fileID))
    }

    /// New rows.
    private mutating func append(
        _ rows: UpsertRows, _ range: Range<Int>, strideBytes: Int, _ index: inout RowIndexDraft, _ checksum: inout CRC32
    ) throws(StoreError) {
        let rowsAtOnce = max(1, Self.checksumByteCount / strideBytes)
        var row = range.lowerBound
        while row < range.upperBound {
            let some = row..<min(row + rowsAtOnce, range.upperBound)
            let start = buffer.count
            rows.encode(some, into: &buffer)
            checksum.update(buffer.bytes.extracting(start..<buffer.count))
            index.add(buffer.bytes.extracting(start..<buffer.count))
            try flushIfFull()
            row = some.upperBound
        }
    }

    /// Those of some stored rows that are to be kept, as they stand.
    private mutating func append(
        _ bytes: RawSpan, rows: Range<Int>, keep: RowSet, _ index: inout RowIndexDraft, _ checksum: inout CRC32
    ) throws(StoreError) {
        let stride = bytes.byteCount / max(1, rows.count)
        var row = rows.lowerBound
        while row < rows.upperBound {
            guard keep.contains(row) else {
                row += 1
                continue
            }
            let first = row
            while row < rows.upperBound, keep.contains(row) { row += 1 }
            let part = ((first - rows.lowerBound) * stride)..<((row - rows.lowerBound) * stride)
            let kept = bytes.extracting(part)
            checksum.update(kept)
            index.add(kept)
            try append(kept)
        }
    }

    private mutating func append(_ bytes: RawSpan) throws(StoreError) {
        if bytes.byteCount >= Self.bufferByteCount {
            try finish()
            try file.write(bytes, at: bufferOffset)
            bufferOffset += UInt64(bytes.byteCount)
        } else {
            // The bytes are copied while the span lends them.
            unsafe bytes.withUnsafeBytes { unsafe buffer.append(contentsOf: $0) }
            try flushIfFull()
        }
    }

    /// Writes what is left in the buffer.
    mutating func finish() throws(StoreError) {
        try file.write(buffer, at: bufferOffset)
        bufferOffset += UInt64(buffer.count)
        buffer.removeAll(keepingCapacity: true)
    }

    /// Fills in bytes that were left out before; they are in the buffer, or in the file.
    private mutating func replace(_ bytes: [UInt8], at offset: UInt64) throws(StoreError) {
        guard offset >= bufferOffset else { return try file.write(bytes, at: offset) }
        let start = Int(offset - bufferOffset)
        buffer.replaceSubrange(start..<(start + bytes.count), with: bytes)
    }

    private mutating func flushIfFull() throws(StoreError) {
        // A header that was begun stays in one piece: it is flushed as a whole or not at all.
        if buffer.count >= Self.bufferByteCount { try finish() }
    }
}
