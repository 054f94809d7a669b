/// The 64 bytes before every payload. All integers are little-endian; nothing need be aligned.
///
/// | offset | type | field | what is written here |
/// |---|---|---|---|
/// | 0x00 | u32 | magic | 0x52564653 (bytes `53 46 56 52`) |
/// | 0x04 | u8 | version | 1; segments of a higher version are skipped |
/// | 0x05 | u8 | type | see ``SegmentType`` |
/// | 0x06 | u16 | flags | 0 |
/// | 0x08 | u64 | segment id | one more than the highest known; not unique |
/// | 0x10 | u64 | payload length | bytes that follow the header |
/// | 0x18 | u64 | timestamp, nanoseconds since 1970 | 0 |
/// | 0x20 | u8 | checksum algorithm | 0 |
/// | 0x21 | u8 | compression | 0 |
/// | 0x22 | u16, u32 | reserved | 0 |
/// | 0x28 | 4 × u32 | content hash | see ``ContentHash`` |
/// | 0x38 | u32 | uncompressed length | 0 |
/// | 0x3C | u32 | pad | 0 |
package struct SegmentHeader: Equatable, Sendable {
    package static let byteCount = 64
    /// As a little-endian word; in the file the bytes read `SFVR`.
    package static let magic: UInt32 = 0x5256_4653
    package static let currentVersion: UInt8 = 1
    /// Where the type byte stands, for whoever scans for headers.
    package static let typeOffset = 5

    package var version = SegmentHeader.currentVersion
    package var type: SegmentType
    package var flags: UInt16 = 0
    package var id: UInt64
    package var payloadByteCount: UInt64
    package var timestampNanoseconds: UInt64 = 0
    package var checksumAlgorithm: UInt8 = 0
    package var compression: UInt8 = 0
    package var reserved: UInt64 = 0
    package var hash: ContentHash
    package var uncompressedByteCount: UInt32 = 0
    package var pad: UInt32 = 0

    package init(type: SegmentType, id: UInt64, payloadByteCount: UInt64, hash: ContentHash) {
        self.type = type
        self.id = id
        self.payloadByteCount = payloadByteCount
        self.hash = hash
    }

    /// Nil where the bytes do not begin with the magic. Nothing else is judged here.
    package init?(_ bytes: RawSpan) {
        guard bytes.byteCount >= Self.byteCount, bytes.integer(UInt32.self, at: 0) == Self.magic else { return nil }
        version = bytes.integer(UInt8.self, at: 0x04)
        type = SegmentType(rawValue: bytes.integer(UInt8.self, at: Self.typeOffset))
        flags = bytes.integer(UInt16.self, at: 0x06)
        id = bytes.integer(UInt64.self, at: 0x08)
        payloadByteCount = bytes.integer(UInt64.self, at: 0x10)
        timestampNanoseconds = bytes.integer(UInt64.self, at: 0x18)
        checksumAlgorithm = bytes.integer(UInt8.self, at: 0x20)
        compression = bytes.integer(UInt8.self, at: 0x21)
        reserved = UInt64(bytes.integer(UInt16.self, at: 0x22)) | UInt64(bytes.integer(UInt32.self, at: 0x24)) << 16
        hash = ContentHash(
            words: SIMD4(
                bytes.integer(UInt32.self, at: 0x28), bytes.integer(UInt32.self, at: 0x2C),
                bytes.integer(UInt32.self, at: 0x30), bytes.integer(UInt32.self, at: 0x34)))
        uncompressedByteCount = bytes.integer(UInt32.self, at: 0x38)
        pad = bytes.integer(UInt32.self, at: 0x3C)
    }

    /// The header's 64 bytes.
    package var encoded: [UInt8] {
        // In memory the fields lie as they do in the file, without a gap.
        let fields = (
            Self.magic.littleEndian, version, type.rawValue, flags.littleEndian, id.littleEndian,
            payloadByteCount.littleEndian, timestampNanoseconds.littleEndian, checksumAlgorithm, compression,
            UInt16(truncatingIfNeeded: reserved).littleEndian, UInt32(truncatingIfNeeded: reserved >> 16).littleEndian,
            hash.words[0].littleEndian, hash.words[1].littleEndian, hash.words[2].littleEndian,
            hash.words[3].littleEndian, uncompressedByteCount.littleEndian, pad.littleEndian
        )
        // Copied while the local lends them.
        return unsafe withUnsafeBytes(of: fields) { unsafe Array($0) }
    }

    /// Where the segment ends when its header stands at an offset; nil where that is beyond 64 bits.
    package func end(at offset: UInt64) -> UInt64? {
        let (start, carried) = offset.addingReportingOverflow(UInt64(Self.byteCount))
        let (end, overflow) = start.addingReportingOverflow(payloadByteCount)
        return carried || overflow ? nil : end
    }
}

extension UInt64 {
    /// The next offset at which a segment of ours can begin: at a multiple of 64, its header lies within one sector of
    /// the medium.
    var alignedToSegment: UInt64 {
        let alignment = UInt64(SegmentHeader.byteCount)
        return (self + alignment - 1) / alignment * alignment
    }
}
