/// The payload of a manifest: the state of a store as one commit left it.
///
/// | offset | type | field |
/// |---|---|---|
/// | 0 | u32 | epoch |
/// | 4 | u16 | dimension |
/// | 6 | u64 | total vectors: distinct ids in the vector segments, deleted ones included |
/// | 14 | u32 | directory entries n |
/// | 18 | u8 | profile |
/// | 19 | u8 | metric, see ``Metric`` |
/// | 20 | u16 | 0 |
/// | 22 | n × 25 bytes | the directory, see ``DirectoryEntry`` |
/// | … | u32 | deleted ids m |
/// | … | m × u64 | deleted ids |
/// | … | u32 | 0x46494449: an identity follows; anything else, or the end: none does |
/// | … | 16, 16, 32 bytes, u32 | file id, parent id, parent hash, lineage depth |
/// | … | 16 or 24 bytes | ``PlacementMark``, where this package wrote the manifest |
/// | … | | whatever newer writers add |
package struct ManifestPayload: Equatable, Sendable {
    package var epoch: UInt32
    package var dimension: UInt16
    package var totalVectorCount: UInt64
    package var profile: UInt8 = 0
    package var metric: Metric
    package var directory: [DirectoryEntry]
    package var deletedIDs: [UInt64]
    package var identity: StoreIdentity?
    package var mark: PlacementMark?

    /// The fields before the directory.
    package static let fixedByteCount = 22
    /// An empty directory and an empty deleted list: no manifest is shorter.
    package static let smallestByteCount = fixedByteCount + 4
    static let identityMagic: UInt32 = 0x4649_4449
    static let identityByteCount = 68

    package init(
        epoch: UInt32, dimension: UInt16, totalVectorCount: UInt64, metric: Metric, directory: [DirectoryEntry],
        deletedIDs: [UInt64], identity: StoreIdentity?
    ) {
        self.epoch = epoch
        self.dimension = dimension
        self.totalVectorCount = totalVectorCount
        self.metric = metric
        self.directory = directory
        self.deletedIDs = deletedIDs
        self.identity = identity
    }

    package init(_ payload: RawSpan) throws(FormatError) {
        var reader = FieldReader(payload)
        epoch = try reader.next(UInt32.self, "the epoch")
        dimension = try reader.next(UInt16.self, "the dimension")
        totalVectorCount = try reader.next(UInt64.self, "the vector count")
        let entryCount = try reader.next(UInt32.self, "the entry count")
        profile = try reader.next(UInt8.self, "the profile")
        metric = Metric(rawValue: try reader.next(UInt8.self, "the metric"))
        _ = try reader.next(UInt16.self, "the reserved bytes")

        try reader.requireItems(entryCount, ofBytes: DirectoryEntry.byteCount, "directory entries")
        directory = []
        directory.reserveCapacity(Int(entryCount))
        for _ in 0..<entryCount { directory.append(try DirectoryEntry(&reader)) }

        let deletedCount = try reader.next(UInt32.self, "the deleted count")
        try reader.requireItems(deletedCount, ofBytes: 8, "deleted ids")
        deletedIDs = []
        deletedIDs.reserveCapacity(Int(deletedCount))
        for _ in 0..<deletedCount { deletedIDs.append(try reader.next(UInt64.self, "a deleted id")) }

        identity = try StoreIdentity(&reader)
        mark = identity == nil ? nil : try PlacementMark(&reader)
    }

    package var encoded: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(encodedByteCount)
        bytes.append(littleEndian: epoch)
        bytes.append(littleEndian: dimension)
        bytes.append(littleEndian: totalVectorCount)
        bytes.append(littleEndian: UInt32(truncatingIfNeeded: directory.count))
        bytes.append(profile)
        bytes.append(metric.rawValue)
        bytes.append(littleEndian: UInt16(0))
        for entry in directory { entry.encode(into: &bytes) }
        bytes.append(littleEndian: UInt32(truncatingIfNeeded: deletedIDs.count))
        for id in deletedIDs { bytes.append(littleEndian: id) }
        identity?.encode(into: &bytes)
        // Without an identity before it, a reader could take the mark for one that is damaged.
        if identity != nil { mark?.encode(into: &bytes) }
        return bytes
    }

    /// What ``encoded`` will take, for limits that are checked before anything is made.
    package var encodedByteCount: Int {
        let identityBytes = identity == nil ? 0 : 4 + Self.identityByteCount
        let markBytes = identity == nil ? 0 : mark?.byteCount ?? 0
        return Self.smallestByteCount + DirectoryEntry.byteCount * directory.count + 8 * deletedIDs.count
            + identityBytes + markBytes
    }
}

extension StoreIdentity {
    /// Nil where none follows. A magic whose 68 bytes are not all there is a damaged manifest.
    init?(_ reader: inout FieldReader) throws(FormatError) {
        guard reader.remainingBytes >= 4 else { return nil }
        guard try reader.next(UInt32.self, "the identity's magic") == ManifestPayload.identityMagic else { return nil }
        fileID = try reader.bytes(Self.fileIDByteCount, "the file id")
        parentID = try reader.bytes(Self.fileIDByteCount, "the parent id")
        parentHash = try reader.bytes(Self.parentHashByteCount, "the parent hash")
        lineageDepth = try reader.next(UInt32.self, "the lineage depth")
    }

    func encode(into bytes: inout [UInt8]) {
        bytes.append(littleEndian: ManifestPayload.identityMagic)
        bytes.append(contentsOf: fileID)
        bytes.append(contentsOf: parentID)
        bytes.append(contentsOf: parentHash)
        bytes.append(littleEndian: lineageDepth)
    }
}
