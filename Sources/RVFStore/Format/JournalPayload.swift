/// The payload of a journal: what was deleted, kept as a record. Readers go by the deleted list of the manifest.
///
/// | offset | type | field |
/// |---|---|---|
/// | 0 | u32 | entries n |
/// | 4 | u32 | epoch |
/// | 8 | u64 | segment id of the previous journal, 0 = none |
/// | 16 | n entries: | |
/// | +0 | u8 | kind, 1 = a vector was deleted |
/// | +1 | u8 | 0 |
/// | +2 | u16 | length of what follows, 8 for kind 1 |
/// | +4 | u64 | vector id, for kind 1 |
package struct JournalPayload: Equatable, Sendable {
    package var epoch: UInt32
    package var previousSegmentID: UInt64
    package var deletedIDs: [UInt64]

    /// Kind, zero and length: what even an entry of an unknown kind has.
    private static let smallestEntryByteCount = 4
    private static let kindDelete: UInt8 = 1
    private static let deleteByteCount: UInt16 = 8

    package init(epoch: UInt32, previousSegmentID: UInt64, deletedIDs: [UInt64]) {
        self.epoch = epoch
        self.previousSegmentID = previousSegmentID
        self.deletedIDs = deletedIDs
    }

    /// Entries of other kinds are passed over.
    package init(_ payload: RawSpan) throws(FormatError) {
        var reader = FieldReader(payload)
        let count = try reader.next(UInt32.self, "the entry count")
        epoch = try reader.next(UInt32.self, "the epoch")
        previousSegmentID = try reader.next(UInt64.self, "the previous journal's id")
        try reader.requireItems(count, ofBytes: Self.smallestEntryByteCount, "journal entries")
        deletedIDs = []
        for _ in 0..<count {
            let kind = try reader.next(UInt8.self, "an entry's kind")
            _ = try reader.next(UInt8.self, "an entry's zero")
            let lengthOffset = reader.offset
            let length = try reader.next(UInt16.self, "an entry's length")
            if kind == Self.kindDelete {
                guard length == Self.deleteByteCount else {
                    throw FormatError(offset: lengthOffset, what: "a delete of \(length) bytes, not 8")
                }
                deletedIDs.append(try reader.next(UInt64.self, "a deleted id"))
            } else {
                _ = try reader.bytes(Int(length), "an entry's content")
            }
        }
    }

    package var encoded: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(16 + 12 * deletedIDs.count)
        bytes.append(littleEndian: UInt32(truncatingIfNeeded: deletedIDs.count))
        bytes.append(littleEndian: epoch)
        bytes.append(littleEndian: previousSegmentID)
        for id in deletedIDs {
            bytes.append(Self.kindDelete)
            bytes.append(0)
            bytes.append(littleEndian: Self.deleteByteCount)
            bytes.append(littleEndian: id)
        }
        return bytes
    }
}
