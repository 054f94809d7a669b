import RVFHost
import SystemPackage

/// Writes a commit's bytes one after another through a buffer: few calls, and little memory however large a batch is.
struct SegmentStream<H: Host>: ~Copyable {
    private let file: BorrowedFile<H>
    private var buffer: [UInt8] = []
    /// Where the buffer's first byte goes.
    private var bufferOffset: UInt64

    /// How much is collected before it is written.
    private static var bufferByteCount: Int { 1 << 20 }

    init(_ file: BorrowedFile<H>, at offset: UInt64) {
        self.file = file
        bufferOffset = offset
    }

    /// Where the next byte goes.
    var position: UInt64 { bufferOffset + UInt64(buffer.count) }

    /// Zeros up to an offset that is not behind.
    mutating func pad(to offset: UInt64) throws(StoreError) {
        buffer.append(contentsOf: repeatElement(0, count: Int(offset - position)))
        try flushIfFull()
    }

    mutating func append(_ bytes: [UInt8]) throws(StoreError) {
        buffer.append(contentsOf: bytes)
        try flushIfFull()
    }

    /// A vector segment: its header last, since it holds the checksum of what follows it.
    mutating func append(_ piece: CommitLayout.Piece, of batch: RowBatch) throws(StoreError) {
        try pad(to: piece.entry.offset)
        try append([UInt8](repeating: 0, count: SegmentHeader.byteCount))
        var checksum = CRC32()
        var chunk = piece.payload.encodedHead
        for row in piece.rows {
            batch.encode(row, into: &chunk)
            // Enough rows at once that the checksum is worth its call.
            if chunk.count >= 1 << 16 {
                checksum.update(chunk.bytes)
                try append(chunk)
                chunk.removeAll(keepingCapacity: true)
            }
        }
        checksum.update(chunk.bytes)
        try append(chunk)
        let header = SegmentHeader(
            type: .vectors, id: piece.entry.id, payloadByteCount: piece.entry.payloadByteCount,
            hash: ContentHash(checksum: checksum.value))
        try replace(header.encoded, at: piece.entry.offset)
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
