import RVFHost
import RVFLock
import SystemPackage

extension StoreWriterCore {
    /// Puts a file in the store's place that holds the live rows and what other writers put there, and goes on in it.
    package mutating func compact(_ options: WorkOptions) throws(StoreError) -> CompactionReport {
        try settleName()
        try validateLock()
        let size = try validateFile()
        let before = try file.status()
        if before.linkCount > 1 { throw StoreError.hardLinked(file.path) }
        let table = try snapshot.vectorTable()
        let source = ByteSource(file: file, byteCount: size, mode: .positional)
        try snapshot.refuseDamage(in: table, source)

        // Nobody else may read the rows in it before it has the old file's mode.
        let draft = try draftReplacement()
        let new = BorrowedFile(host: file.host, descriptor: draft.descriptor, path: file.path)
        let outcome = try rewrite(table, source, options).write(to: new)
        try new.takeMetadata(of: file)
        try new.sync()
        guard try validateFile() == size else {
            throw StoreError.foreignAppend(file.path, what: "it grew while it was being compacted")
        }
        try validateLock()
        try publish(draft)
        let report = CompactionReport(
            byteCountBefore: size, byteCount: outcome.byteCount, rowCount: outcome.rowCount,
            droppedRowCount: table.rowCount - outcome.rowCount, carriedSegmentCount: outcome.carriedCount)
        adoptReplacement()
        return report
    }

    private func rewrite(
        _ table: VectorTable, _ source: ByteSource<H>, _ options: WorkOptions
    ) throws(StoreError) -> StoreRewrite<H> {
        let manifest = snapshot.manifest
        var payload = manifest.payload
        payload.epoch = try nextEpoch()
        payload.deletedIDs = []
        payload.identity = payload.identity ?? newIdentity
        var options = options
        options.limits = self.options.limits
        let (lock, snapshot) = (lock, snapshot)
        // Rows of a version that is not known are carried, and nobody knows their ids.
        let named = manifest.payload.directory.count { $0.type == .vectors }
        let isWhole = named == table.segments.count
        let metadata = try snapshot.metadata(in: source).map { loaded in
            MetadataSurvival(loaded.state, isKept: { !isWhole && !snapshot.isDeleted($0) })
        }
        return StoreRewrite(
            source: source, table: table,
            carry: ForeignCarry(
                source: source, directory: manifest.payload.directory, manifest: manifest, leavesOutMetadata: true),
            payload: payload,
            firstID: manifest.nextSegmentID(after: doubt?.segmentID ?? 0), options: options,
            state: try rewrittenState(),
            isDeleted: { id, _ in snapshot.isDeleted(id) }, metadata: metadata,
            check: { () throws(StoreError) in try lock.validateForStore() })
    }

    /// The checkpoints, bound to the rows in their new segments. The new file is durable before it counts, so there is
    /// nothing to fall back to.
    private func rewrittenState() throws(StoreError) -> [StoreRewrite<H>.StateSegment] {
        let manifest = snapshot.manifest.payload
        let fileID = (manifest.identity ?? newIdentity).fileID
        var segments: [StoreRewrite<H>.StateSegment] = []
        if manifest.metric != .squaredL2, try snapshot.source.storedMetric(manifest) == nil {
            let payload = MetricPayload(fileID: fileID, dimension: manifest.dimension, metric: manifest.metric)
            segments.append(.metric(payload))
        }
        if options.witnesses {
            let witness = try witness("compact:epoch=\(try nextEpoch())")
            segments.append(StoreRewrite.StateSegment(type: .witness) { _ in witness })
        }
        let before = try snapshot.checkpointState()
        guard !before.entries.isEmpty,
            var draft = try checkpointDraft(before.list, beside: StateChange(), changesRows: false)
        else { return segments }
        draft.prior = draft.current
        segments.append(
            StoreRewrite.StateSegment(type: .checkpoints) { [draft] in draft.payload($0, deleted: []).encoded })
        return segments
    }

    private func draftReplacement() throws(StoreError) -> ProtectedFileDraft<H> {
        do throws(LockError) {
            return try lock.draftProtectedFile(permissions: .ownerReadWrite)
        } catch {
            throw Self.refusal(error, file.path)
        }
    }

    private mutating func publish(_ draft: consuming ProtectedFileDraft<H>) throws(StoreError) {
        do throws(LockError) {
            try lock.publish(draft)
        } catch {
            // It may have the name all the same, and not durably: nothing is written before that is settled.
            isNameUnsettled = true
            throw Self.refusal(error, file.path)
        }
    }

    private static func refusal(_ error: LockError, _ path: FilePath) -> StoreError {
        switch error {
        case .lost, .handedOver: .lostLock(error)
        case .hardLinked: .hardLinked(path)
        default: .notReplaced(error)
        }
    }

    /// Goes on in the file that has the name now.
    private mutating func adoptReplacement() {
        do throws(StoreError) {
            try reopen()
        } catch {
            // The compaction stands; the next commit tries again, and is refused while this does not succeed.
            isNameUnsettled = true
        }
    }
}

extension StoreRewrite.StateSegment {
    static func metric(_ payload: MetricPayload) -> Self {
        Self(type: .metric) { _ in payload.encoded }
    }
}

extension HeldLock {
    /// Throws unless the lock is still held.
    func validateForStore() throws(StoreError) {
        do throws(LockError) {
            try validate()
        } catch {
            switch error {
            case .lost, .handedOver: throw StoreError.lostLock(error)
            default: throw StoreError.lock(error)
            }
        }
    }
}
