import RVFHost

extension StoreWriterCore {
    /// One commit of what a transaction comes to.
    @discardableResult
    package mutating func commit(
        _ transaction: Transaction, options: CommitOptions = CommitOptions()
    ) throws(StoreError) -> CommitResult {
        // What is written rests on what is there: another file, with metadata of its own, may have taken the name.
        try settleName()
        let transaction = try selectingDeletes(in: transaction)
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
            deleted = try snapshot.present(deleted).filter { !snapshot.isDeleted($0) }
        }
        result.deleted = deleted.count
        result.ignored = resolved.deletedIDs.count - deleted.count
        let state = try metadataChange(of: transaction, resolved)
        let checkpoints = try checkpoints(after: transaction.checkpointOperations)
        if resolved.rows.count == 0, deleted.isEmpty, state.isEmpty, checkpoints == nil {
            // What was found to be so already has to last as long as what is made so.
            if options.durability != .none { try sync() }
            result.epoch = snapshot.manifest.payload.epoch
            return result
        }
        try commit(
            resolved, deleting: deleted, merging: true, state: state, checkpoints: checkpoints, options.durability)
        result.metadataChanged = state.metadata?.changedRecordCount ?? 0
        result.epoch = snapshot.manifest.payload.epoch
        compactIfPolicyAsks()
        return result
    }

    /// One commit, in the order that leaves no torn manifest to any reader: rows and the manifest's payload, sync;
    /// then the manifest's header, which lies within one sector, sync.
    ///
    /// - Parameters:
    ///   - deleted: ids that can be found and shall not be any more, rising.
    ///   - merging: whether small segments are merged by the way.
    ///   - durability: without syncs, the order is the same, and a crash may leave any part.
    ///   - state: what is written besides rows.
    ///   - checkpoints: those that the commit leaves, where they change.
    mutating func commit(
        _ transaction: ResolvedTransaction, deleting deleted: [UInt64], merging: Bool,
        state: StateChange = StateChange(), checkpoints: CheckpointList? = nil, _ durability: CommitOptions.Durability
    ) throws(StoreError) {
        try settleName()
        try validateLock()
        let start = try startBehindTail(try validateFile())
        let draft = try checkpointDraft(
            checkpoints, beside: state, changesRows: transaction.rows.count > 0 || !deleted.isEmpty)
        let state = try ownState(
            adding: draft, to: state, upserted: transaction.rows.count, deleted: deleted.count)
        let carried = try carriedEntries(after: state)
        var change = try change(transaction, deleting: deleted, merging: merging, state: state, carrying: carried)
        draft?.complete(&change)
        let plan = try plan(change, carrying: carried, from: start)
        // Checkpoints speak of the commit before as of one that is durable.
        if let draft, !draft.prior.all.isEmpty, !hasSynced { try syncOrGoBack() }
        let pace = SyncPace(durability, from: unsynced?.from ?? start, to: plan.endLimit)
        // Before anything is written, so that there is nothing to go back from.
        if pace.syncsAfterManifest { try makeNameDurable() }
        // From here on until the end nothing is certain.
        doubt = Doubt(
            epoch: plan.payload.epoch,
            // No commit takes more ids: a row index has one, too.
            segmentID: plan.firstID + UInt64(2 * plan.change.newSegments.count + plan.change.state.segments.count),
            byteCount: max(plan.endLimit, doubt?.byteCount ?? 0))
        let (segments, manifest) = try write(plan, transaction.rows, at: start, unsyncedFrom: pace.unsyncedFrom)
        if pace.syncsBeforeManifest { try syncOrGoBack() }

        // The length first: a map of bytes that the file does not have would end the process.
        try validateLength(manifest.endOffset)
        let source = ByteSource(file: file, byteCount: manifest.endOffset, mode: options.readMode, onDemand: true)
        try checkPlacement(manifest, writtenFrom: start)
        let next = try snapshotAfter(plan.change, manifest, segments, source)
        try validateLock()
        try file.writing.write(manifest.header.encoded, at: manifest.offset)
        try confirmVisible(manifest, writtenFrom: start)
        if pace.syncsAfterManifest { try syncOrGoBack() }
        unsynced =
            pace.syncsAfterManifest ? nil : unsynced ?? Unsynced(durable: snapshot, idCount: idCount, from: start)
        snapshot = next
        fileByteCount = manifest.endOffset
        idCount = plan.change.idCount
        doubt = nil
    }

    /// Writes all of a commit but the manifest's header.
    ///
    /// - Returns: the vector segments that the commit leaves, and its manifest.
    private mutating func write(
        _ plan: Plan, _ rows: UpsertRows, at start: UInt64, unsyncedFrom: UInt64?
    ) throws(StoreError) -> (segments: [VectorSegment], SealedManifest) {
        var stream = SegmentStream(file.writing, at: start, buffer: takeBuffer(), expecting: plan.endLimit - start)
        let dimension = Int(plan.payload.dimension)
        var id = plan.firstID
        var written: [VectorSegment] = []
        for segment in plan.change.newSegments {
            let layout = VectorPayload(dimension: dimension, rowCount: segment.rowCount)
            let index = RowIndexDraft(
                fileID: plan.payload.identity?.fileID ?? [], metric: plan.payload.metric, layout: layout,
                limits: options.limits)
            written.append(
                try stream.append(segment, id: &id, layout: layout, index: index, rows: rows, from: snapshot.source))
        }
        let vectors = plan.change.segments(replacing: try snapshot.vectorTable(), with: written)
        var state: [DirectoryEntry] = []
        for segment in plan.change.state.segments {
            state.append(try stream.append(segment.payload(vectors), type: segment.type, id: id))
            id += 1
        }
        let manifest = try seal(
            plan, vectors: written.map(\.entry), state: state, id: id, from: stream.position,
            unsyncedFrom: unsyncedFrom)
        try stream.pad(to: manifest.offset + UInt64(SegmentHeader.byteCount))
        try stream.append(manifest.encodedPayload)
        try stream.finish()
        buffer = stream.buffer
        return (vectors, manifest)
    }

    /// The last commit's buffer, so that the same memory serves again. A commit that fails leaves none.
    private mutating func takeBuffer() -> [UInt8] {
        let taken = buffer
        buffer = []
        return taken
    }

    /// A sync that fails may have lost what was written at any time since the last that succeeded, and the next one
    /// does not tell. So the writer goes back to the last commit that is durable.
    mutating func syncOrGoBack() throws(StoreError) {
        try makeNameDurable()
        do throws(StoreError) {
            try file.writing.syncData()
        } catch {
            // Not even of what was found is it known any more.
            hasSynced = false
            if let unsynced {
                // What is given up stays in the file, and nothing that follows may be taken for it.
                doubt = doubt ?? Doubt(
                    epoch: snapshot.manifest.payload.epoch, segmentID: snapshot.manifest.nextSegmentID(),
                    byteCount: fileByteCount)
                snapshot = unsynced.durable
                idCount = unsynced.idCount
            }
            unsynced = nil
            throw error
        }
        hasSynced = true
    }

    private func snapshotAfter(
        _ change: StoreChange, _ sealed: SealedManifest, _ segments: [VectorSegment], _ source: ByteSource<H>
    ) throws(StoreError) -> SnapshotCore<H> {
        let manifest = FoundManifest(
            offset: sealed.offset, header: sealed.header, payload: sealed.payload,
            damaged: snapshot.manifest.damaged.filter(sealed.payload.directory.contains), rejected: [])
        return SnapshotCore(
            source: source, manifest: manifest, table: try VectorTable(segments, in: source),
            metadata: try metadata(after: change.state, sealed.payload), previous: snapshot)
    }

    // MARK: Looking before writing

    /// Where the file ends, once it is found to be as this writer left it.
    func validateFile() throws(StoreError) -> UInt64 {
        let size = UInt64(max(0, try file.sizeBytes()))
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
        let size = try file.sizeBytes()
        guard size == Int64(expected) else {
            throw StoreError.foreignAppend(
                file.path, what: "it has \(size) bytes, where this writer has just written up to byte \(expected)")
        }
    }

    /// The manifest as this package's own readers will see it, before it can be seen.
    ///
    /// - Parameter start: this writer wrote everything from here on.
    private func checkPlacement(_ manifest: SealedManifest, writtenFrom start: UInt64) throws(StoreError) {
        // A few headers, for which no map is made.
        let source = ByteSource(file: file, byteCount: manifest.endOffset, mode: .positional)
        if start == snapshot.manifest.end, snapshot.manifest.damaged.isEmpty {
            // A reader walks over nothing but what this commit has written, segment by segment. It is enough that
            // nobody has written over it.
            for entry in manifest.payload.directory where entry.offset >= start {
                guard try source.header(at: entry.offset).map(entry.matches) == true else {
                    throw StoreError.foreignAppend(
                        file.path, what: "what this writer has just written at byte \(entry.offset) is not there")
                }
            }
            return
        }
        var examination = Examination(source)
        var placement = ManifestPlacement<H>(candidate: manifest.offset, isMarked: true)
        let verdict = try placement.verdict(
            on: manifest.payload.directory, after: snapshot.manifest, examining: &examination)
        guard case .amongSegments = verdict else { throw StoreError.limit(file.path, .layout) }
    }
}
