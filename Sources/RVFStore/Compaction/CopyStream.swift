import RVFHost
import SystemPackage

/// Writes a file from its beginning through one buffer, segment after segment.
struct CopyStream<H: Host>: ~Copyable {
    let file: BorrowedFile<H>
    private var buffer: [UInt8] = []
    private var bufferOffset: UInt64 = 0

    private static var bufferByteCount: Int { 1 << 20 }

    init(_ file: BorrowedFile<H>) {
        self.file = file
        buffer.reserveCapacity(2 * Self.bufferByteCount)
    }

    /// Where the next byte goes.
    var position: UInt64 { bufferOffset + UInt64(buffer.count) }

    mutating func append(_ bytes: RawSpan) throws(StoreError) {
        // The bytes are copied while the span lends them.
        unsafe bytes.withUnsafeBytes { unsafe buffer.append(contentsOf: $0) }
        if buffer.count >= Self.bufferByteCount { try finish() }
    }

    /// Zeros up to the next multiple of 64.
    mutating func align() throws(StoreError) {
        let alignment = SegmentHeader.byteCount
        let rest = Int(position % UInt64(alignment))
        if rest > 0 { try append([UInt8](repeating: 0, count: alignment - rest).bytes) }
    }

    /// A segment whose payload is at hand.
    @discardableResult
    mutating func append(_ payload: [UInt8], type: SegmentType, id: UInt64) throws(StoreError) -> DirectoryEntry {
        try align()
        let header = SegmentHeader(
            type: type, id: id, payloadByteCount: UInt64(payload.count),
            hash: ContentHash(checksum: CRC32.of(payload.bytes)))
        let entry = DirectoryEntry(header, at: position)
        try append((header.encoded + payload).bytes)
        return entry
    }

    /// Writes over bytes that went before, in the buffer or in the file.
    mutating func replace(_ bytes: [UInt8], at offset: UInt64) throws(StoreError) {
        // A header stays in one piece: the buffer is written as a whole.
        guard offset >= bufferOffset else { return try file.write(bytes, at: offset) }
        let start = Int(offset - bufferOffset)
        buffer.replaceSubrange(start..<(start + bytes.count), with: bytes)
    }

    /// Writes what is left in the buffer.
    mutating func finish() throws(StoreError) {
        try file.write(buffer, at: bufferOffset)
        bufferOffset += UInt64(buffer.count)
        buffer.removeAll(keepingCapacity: true)
    }
}
