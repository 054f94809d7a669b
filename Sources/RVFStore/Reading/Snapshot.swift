package import RVFHost

/// One committed state of a store, for reading. It never changes: later commits, a file that replaces this one, and
/// the end of its writer leave it as it is. Copies are cheap, and all of it may be used from any thread.
///
/// Rows stay in the file, and so do the row indexes that this package writes beside them, where the file is mapped: the
/// first access to a row of any store reads a few bytes of each vector segment, and all of the one that holds the row,
/// to check it. Of vector segments without such an index, which are small ones and those of other writers, the first
/// access reads all, and keeps 8 to 12 bytes of memory for each row.
public struct Snapshot: Sendable {
    package let core: SnapshotCore<POSIXHost>

    package init(core: SnapshotCore<POSIXHost>) {
        self.core = core
    }

    /// The number of components of every row.
    public var dimension: Int { Int(core.manifest.payload.dimension) }
    /// The one that the manifest names or, where another writer left it out, that a segment of this package repeats.
    public var metric: Metric { core.manifest.payload.metric }
    /// A number that rises with every commit.
    public var epoch: UInt32 { core.manifest.payload.epoch }
    /// The profile byte of the manifest, for whoever gives it a meaning.
    public var profile: UInt8 { core.manifest.payload.profile }
    /// Nil for a store whose writer gave it none.
    public var identity: StoreIdentity? { core.manifest.payload.identity }
    /// The number of ids that can be found, as the manifest counts them.
    public var liveCount: Int { Int(clamping: core.manifest.payload.totalVectorCount) - min(deletedCount, totalCount) }
    /// The number of distinct ids in the store's segments, deleted ones included, as the manifest counts them.
    public var totalCount: Int { Int(clamping: core.manifest.payload.totalVectorCount) }
    /// The number of ids that are marked as deleted.
    public var deletedCount: Int { core.deletedIDs.count }
    /// The ids that are marked as deleted, rising.
    public var deletedIDs: [UInt64] { core.deletedIDs }
    /// The segments that make up this state, in the manifest's order.
    public var segments: [Segment] { core.manifest.payload.directory.map(Segment.init) }
    /// Where the header of the manifest stands in the file, in bytes.
    public var manifestOffset: UInt64 { core.manifest.offset }
    /// Bytes in the file when this state was read, unnamed ones at its end included.
    public var fileByteCount: UInt64 { core.source.byteCount }
    /// Newer bytes that look like a manifest and were not believed, newest first, the first few: what an interrupted
    /// commit, or damage, left behind.
    public var rejectedManifests: [RejectedManifest] { core.manifest.rejected }

    /// The components of an id's row; nil where the store has no such id, or it was deleted.
    ///
    /// - Throws: ``StoreError/damaged(_:offset:what:)`` where the row is, or may be, in a damaged segment.
    public func vector(id: UInt64) throws(StoreError) -> [Float]? {
        try core.withVector(id: id) { $0.array() }
    }

    /// Lends the components of an id's row without copying them, where the file is mapped; nil where there is none.
    public func withVector<Value>(id: UInt64, _ body: (VectorView) -> Value) throws(StoreError) -> Value? {
        try core.withVector(id: id, body)
    }

    /// The ids that can be found, rising.
    public func ids(onDamage policy: DamagePolicy = .refuse) throws(StoreError) -> [UInt64] {
        try core.liveIDs(onDamage: policy)
    }

    /// Lends every row that can be found, in the order of the file.
    public func forEachRow(
        onDamage policy: DamagePolicy = .refuse, _ body: (_ id: UInt64, _ vector: VectorView) -> Void
    ) throws(StoreError) {
        try core.forEachRow(onDamage: policy, body)
    }

    /// The fields of an id; nil where the store does not have the id, or the id has no metadata.
    ///
    /// The first call that asks for metadata reads all of it and keeps it in memory, for later snapshots of the reader
    /// too. Of several fields with one name the first counts.
    ///
    /// - Throws: ``StoreError/damaged(_:offset:what:)`` where a metadata segment is damaged: none of the metadata is
    ///   available then, while rows are. All that is about metadata throws this.
    public func metadata(of id: UInt64) throws(StoreError) -> [String: MetadataValue]? {
        try core.metadataFields(of: id).map {
            Dictionary($0.map { ($0.field.name, $0.value) }, uniquingKeysWith: { first, _ in first })
        }
    }

    /// One field of an id; nil where it is missing, which is not the same as null.
    public func metadataValue(_ field: String, of id: UInt64) throws(StoreError) -> MetadataValue? {
        try core.metadataValue(field, of: id)
    }

    /// The fields that ids can have, in the order of their numbers in the file.
    public var metadataFields: [MetadataField] {
        get throws(StoreError) { try core.metadata().state.schema }
    }

    /// Keys and values that belong to the file as a whole.
    public var fileMetadata: [String: MetadataValue] {
        get throws(StoreError) {
            let records = try core.metadata().state.fileRecords
            return Dictionary(
                records.compactMap { record in record.value.map { (record.key, $0) } },
                uniquingKeysWith: { first, _ in first })
        }
    }

    /// The ids that can be found and for which a filter is true, rising. Every id is asked, those without metadata
    /// too: for them all fields are missing.
    public func ids(
        where filter: MetadataFilter, onDamage policy: DamagePolicy = .refuse
    ) throws(StoreError) -> [UInt64] {
        try core.ids(where: filter, onDamage: policy)
    }

    /// Checks every vector segment that has not been checked yet and returns what is wrong, an error for each.
    public func damages() throws(StoreError) -> [StoreError] {
        try core.damages()
    }

    /// A segment that the manifest names.
    public struct Segment: Hashable, Sendable {
        /// Given by the writer; not unique.
        public var id: UInt64
        public var type: SegmentType
        /// Where its header stands in the file, in bytes.
        public var offset: UInt64
        /// Bytes behind the 64 of the header.
        public var payloadByteCount: UInt64

        init(_ entry: DirectoryEntry) {
            id = entry.id
            type = entry.type
            offset = entry.offset
            payloadByteCount = entry.payloadByteCount
        }
    }
}
