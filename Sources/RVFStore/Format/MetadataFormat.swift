/// The numbers of version 1 of the metadata payload; the layout is that of ``MetadataPayload``.
package enum MetadataFormat {
    /// `RVFMETA` and a zero.
    static let magic: UInt64 = 0x0041_5445_4D46_5652
    /// `RVFDONE` and a zero.
    static let footerMagic: UInt64 = 0x0045_4E4F_4446_5652
    static let version: UInt16 = 1
    static let flagFullSnapshot: UInt16 = 1
    /// In the place of a base generation: there is none.
    static let noBase = UInt64.max

    static let headerByteCount = 40
    static let footerByteCount = 40
    static let generationOffset = 12
    static let baseGenerationOffset = 20

    /// The shortest of each item, to check counts by before anything is allocated.
    static let smallestSchemaEntryByteCount = 7
    static let smallestFileRecordByteCount = 3
    static let smallestVectorRecordByteCount = 13
    static let smallestFieldByteCount = 3

    package static let fieldLimit = 65_536
    package static let fileRecordLimit = 65_536
    package static let vectorRecordLimit = 16_777_216
    package static let nameByteLimit = 4_096
    package static let valueByteLimit = 16 << 20
    /// Of a segment's payload; also of all payloads from a snapshot to its last delta, which peers read together.
    package static let payloadByteLimit = 256 << 20
    /// How many deltas can follow a snapshot.
    package static let deltaLimit = 64
}

/// The byte in front of a value.
enum MetadataTag {
    static let null: UInt8 = 0
    /// In a delta: the field, or the key, is not there any more. Tags in between are those of ``MetadataType``.
    static let removed: UInt8 = 7
}
