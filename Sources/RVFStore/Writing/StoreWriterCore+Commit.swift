import RVFHost

extension StoreWriterCore {
    /// One commit of what a transaction comes to.
    @discardableResult
    package mutating func commit(
        _ transaction: Transaction, options: CommitOptions = CommitOptions()
    ) throws(StoreError) -> CommitResult {
        let resolved: ResolvedTransaction
        do throws(ResolvedTransaction.Failure) {
            resolved = try ResolvedTransaction(
                transaction, dimension: Int(snapshot.manifest.payload.dimension))
        } catch {
            throw StoreError.invalidRow(file.path, index: error.index, id: error.id, error.problem)
        }
        var result = CommitResult(
            epoch: snapshot.manifest.payload.epoch, upserted: resolved.rows.count, deleted: 0, ignored: 0)
        var deleted = resolved.deletedIDs
        if !deleted.isEmpty {
            let index = try snapshot.rowIndex()
            deleted = deleted.filter { index.row(of: $0) != nil && !snapshot.isDeleted($0) }
        }
        result.deleted = deleted.count
        result.ignored = resolved.deletedIDs.count - deleted.count
        if resolved.rows.count == 0, deleted.isEmpty { return result }
        try commit(resolved, deleting: deleted, merging: true, options.durability)
        result.epoch = snapshot.manifest.payload.epoch
        return result
    }

    /// One commit, in the order that leaves no torn manifest to any reader: rows and the manifest's payload, sync;
    /// then the manifest's header, which lies within one sector, sync.
    ///
    /// - Parameters:
    ///   - deleted: ids that can be found and shall not be any more, rising.
    ///   - merging: whether small segments are merged by the way.
    ///   - durability: without syncs, the order is the same, and a crash may leave any part.
    mutating func commit(
        _ transaction: ResolvedTransaction, deleting deleted: [UInt64], merging: Bool,
        _ durability: CommitOptions.Durability
    ) throws(StoreError) {
        try settleName()
        try validateLock()
        let start = try validateFile()
        let change = try change(transaction, deleting: deleted, merging: merging)
        let unsyncedAfter = switch durability {
        case .ordered: nil as Unsynced?
        case .none: unsynced ?? Unsynced(durable: snapshot, idCount: idCount, from: start)
        }
        let plan = try plan(change, from: start, unsyncedFrom: unsyncedAfter?.from)
        // From here on until the end nothing is certain.
        doubt = Doubt(
            epoch: plan.payload.epoch, segmentID: plan.layout.manifestID,
            byteCount: max(plan.endOffset, doubt?.byteCount ?? 0))
        var stream = SegmentStream(file.writing, at: start)
        var written: [VectorSegment] = []
        for (piece, segment) in zip(plan.layout.pieces, change.newSegments) {
            written.append(
                try stream.append(piece, segment, rows: transaction.rows, from: snapshot.source))
        }
        try stream.pad(to: plan.layout.manifestOffset + UInt64(SegmentHeader.byteCount))
        try stream.append(plan.encodedPayload)
        try stream.finish()
        try sync(durability)

        // The length first: a map of bytes that the file does not have would end the process.
        try validateLength(plan.endOffset)
        let source = ByteSource(file: file, byteCount: plan.endOffset, mode: options.readMode)
        try checkPlacement(plan, in: source)
        let next = try snapshotAfter(plan, written, source)
        try validateLock()
        try file.writing.write(plan.header.encoded, at: plan.layout.manifestOffset)
        try sync(durability)
        snapshot = next
        fileByteCount = plan.endOffset
        idCount = change.idCount
        unsynced = unsyncedAfter
        doubt = nil
    }

    /// A sync that fails may have lost what was written at any time since the last that succeeded, and the next one
    /// does not tell. So the writer goes back to the last commit that is durable.
    private mutating func sync(_ durability: CommitOptions.Durability) throws(StoreError) {
        guard durability == .ordered else { return }
        do throws(StoreError) {
            try file.writing.syncData()
        } catch {
            if let unsynced {
                snapshot = unsynced.durable
                idCount = unsynced.idCount
            }
            unsynced = nil
            throw error
        }
    }

    private func snapshotAfter(
        _ plan: Plan, _ written: [VectorSegment], _ source: ByteSource<H>
    ) throws(StoreError) -> SnapshotCore<H> {
        let manifest = FoundManifest(
            offset: plan.layout.manifestOffset, header: plan.header, payload: plan.payload,
            damaged: snapshot.manifest.damaged.filter(plan.payload.directory.contains), rejected: [])
        let segments = plan.change.segments(replacing: try snapshot.vectorTable(), with: written)
        return SnapshotCore(source: source, manifest: manifest, table: try VectorTable(segments, in: source))
    }

    // MARK: Looking before writing

    /// Where the file ends, once it is found to be as this writer left it.
    func validateFile() throws(StoreError) -> UInt64 {
        let status = try file.status()
        let size = UInt64(max(0, status.sizeBytes))
        // A failed write may have left any part of what it was to write.
        guard size >= fileByteCount, size <= max(fileByteCount, doubt?.byteCount ?? 0) else {
            throw StoreError.foreignAppend(
                file.path, what: "it has \(size) bytes, where this writer left \(fileByteCount)")
        }
        let manifest = snapshot.manifest
        let source = ByteSource(file: file, byteCount: size, mode: .positional)
        guard try source.header(at: manifest.offset) == manifest.header else {
            throw StoreError.foreignAppend(
                file.path, what: "the manifest at byte \(manifest.offset) is not the one that this writer left")
        }
        return size
    }

    private func validateLength(_ expected: UInt64) throws(StoreError) {
        let size = try file.status().sizeBytes
        guard size == Int64(expected) else {
            throw StoreError.foreignAppend(
                file.path, what: "it has \(size) bytes, where this writer has just written up to byte \(expected)")
        }
    }

    /// The manifest as this package's own readers will see it, before it can be seen.
    private func checkPlacement(_ plan: Plan, in source: ByteSource<H>) throws(StoreError) {
        var examination = Examination(source)
        var placement = ManifestPlacement<H>(candidate: plan.layout.manifestOffset, isMarked: true)
        let verdict = try placement.verdict(
            on: plan.payload.directory, after: snapshot.manifest, examining: &examination)
        guard case .amongSegments = verdict else { throw StoreError.limit(file.path, .layout) }
    }
}
