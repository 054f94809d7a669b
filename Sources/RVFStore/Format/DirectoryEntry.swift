/// One segment that a manifest names.
///
/// | offset | type | field |
/// |---|---|---|
/// | 0 | u64 | segment id |
/// | 8 | u64 | offset of its header in the file |
/// | 16 | u64 | payload length in bytes |
/// | 24 | u8 | type |
package struct DirectoryEntry: Hashable, Sendable {
    package static let byteCount = 25

    package var id: UInt64
    package var offset: UInt64
    package var payloadByteCount: UInt64
    package var type: SegmentType

    package init(id: UInt64, offset: UInt64, payloadByteCount: UInt64, type: SegmentType) {
        self.id = id
        self.offset = offset
        self.payloadByteCount = payloadByteCount
        self.type = type
    }

    @inline(__always)
    init(_ reader: inout FieldReader) throws(FormatError) {
        id = try reader.next(UInt64.self, "an entry's segment id")
        offset = try reader.next(UInt64.self, "an entry's offset")
        payloadByteCount = try reader.next(UInt64.self, "an entry's length")
        type = SegmentType(rawValue: try reader.next(UInt8.self, "an entry's type"))
    }

    func encode(into bytes: inout [UInt8]) {
        // In one piece, since a commit writes thousands: in memory the four lie as they do in the file.
        let fields = (id.littleEndian, offset.littleEndian, payloadByteCount.littleEndian, type.rawValue)
        // Copied while the local lends them; what pads it lies behind.
        unsafe Swift.withUnsafeBytes(of: fields) {
            unsafe bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: $0[..<Self.byteCount]))
        }
    }

    /// Where the payload begins. Only for entries whose ``end`` was found to be within 64 bits.
    package var payloadOffset: UInt64 { offset + UInt64(SegmentHeader.byteCount) }

    /// Where the segment ends; nil where that is beyond 64 bits.
    package var end: UInt64? {
        let (start, carried) = offset.addingReportingOverflow(UInt64(SegmentHeader.byteCount))
        let (end, overflow) = start.addingReportingOverflow(payloadByteCount)
        return carried || overflow ? nil : end
    }

    /// Whether a header is the one that this entry speaks of.
    package func matches(_ header: SegmentHeader) -> Bool {
        header.type == type && header.id == id && header.payloadByteCount == payloadByteCount
    }
}

extension DirectoryEntry {
    /// For counting, before the real one is known.
    static var blank: DirectoryEntry {
        DirectoryEntry(id: 0, offset: 0, payloadByteCount: 0, type: .vectors)
    }
}
