import RVFHost
public import SystemPackage

extension StoreReader {
    /// Makes a child of the store at the state that the reader is at. See ``Snapshot/derive(to:options:)``.
    @discardableResult
    public func derive(to path: FilePath, options: WorkOptions = WorkOptions()) throws(StoreError) -> StoreIdentity {
        try snapshot().derive(to: path, options: options)
    }
}

extension Snapshot {
    /// Makes a new store with this state's live rows and their metadata, which says of itself that it descends from this
    /// one. What does not name a row, the file's own keys and values, goes along.
    ///
    /// The child has an identity of its own; it names this store's file id as its parent, the hash over this file's
    /// last 64 KiB, and a lineage one deeper. Dimension, metric and profile are the parent's. It is complete and durable
    /// before its name appears. What other writers put into the parent is not copied, nor are
    /// its checkpoints: what is taken in from now on, the child and the parent each do for themselves.
    ///
    /// - Returns: the child's identity.
    /// - Throws: ``StoreError/exists(_:_:)`` where something has that name, ``StoreError/damaged(_:offset:what:)``
    ///   where rows or metadata cannot be read, ``StoreError/noSpace(_:neededByteCount:availableByteCount:)``,
    ///   ``StoreError/cancelled(_:)``, or what the system says. Nothing is left behind.
    @discardableResult
    public func derive(to path: FilePath, options: WorkOptions = WorkOptions()) throws(StoreError) -> StoreIdentity {
        try core.derive(to: path, options: options)
    }
}

extension SnapshotCore {
    package func derive(to path: FilePath, options: WorkOptions) throws(StoreError) -> StoreIdentity {
        let reading = ByteSource(file: source.file, byteCount: source.byteCount, mode: .positional)
        let table = try vectorTable()
        try refuseDamage(in: table, reading)
        let identity = try childIdentity(reading)
        let parent = manifest.payload
        var payload = ManifestPayload(
            epoch: 1, dimension: parent.dimension, totalVectorCount: 0, metric: parent.metric, directory: [],
            deletedIDs: [], identity: identity)
        payload.profile = parent.profile
        let state: [StoreRewrite<H>.StateSegment] =
            parent.metric == .squaredL2
            ? []
            : [.metric(MetricPayload(fileID: identity.fileID, dimension: parent.dimension, metric: parent.metric))]
        let metadata = try metadata(in: reading)
        let new = try NewFile(host: source.file.host, path: path)
        _ = try StoreRewrite(
            source: reading, table: table, carry: nil, payload: payload, firstID: 1, options: options,
            state: state, isDeleted: { id, _ in self.isDeleted(id) },
            metadata: metadata.map { MetadataSurvival($0.state, isKept: { _ in false }) }
        ).write(to: new.writing)
        try new.writing.takeMetadata(of: source.file)
        try new.publish()
        return identity
    }

    /// The metadata, read by calls unless it has been read before; nil where there is none.
    func metadata(in reading: ByteSource<H>) throws(StoreError) -> LoadedMetadata? {
        guard !metadataEntries.isEmpty else { return nil }
        if let metadataIfRead { return metadataIfRead }
        return try LoadedMetadata(metadataEntries, damaged: manifest.damaged, in: reading)
    }

    private func childIdentity(_ reading: ByteSource<H>) throws(StoreError) -> StoreIdentity {
        let count = min(UInt64(WitnessHash.parentTailByteCount), reading.byteCount)
        let hash = try reading.withBytes(at: reading.byteCount - count, count: Int(count)) {
            (tail) throws(StoreError) in WitnessHash(hashing: tail)
        }
        let parent = manifest.payload.identity
        let none = [UInt8](repeating: 0, count: StoreIdentity.fileIDByteCount)
        let depth = parent?.lineageDepth ?? 0
        return StoreIdentity(
            fileID: source.file.host.randomFileID(), parentID: parent?.fileID ?? none, parentHash: hash.bytes,
            lineageDepth: depth == .max ? depth : depth + 1)
    }
}
