import RVFHost

extension Transaction {
    /// Whether it says anything of metadata by itself.
    fileprivate var speaksOfMetadata: Bool {
        operations.contains { operation in
            switch operation {
            case .upsert(let rows): rows.contains { $0.metadata != nil }
            case .metadata(let changes): !changes.isEmpty
            case .upsertFlat, .delete, .deleteWhere: false
            }
        }
    }
}

extension StoreWriterCore {
    /// The transaction with ids to delete in place of filters, looked up in the store as it is.
    func selectingDeletes(in transaction: Transaction) throws(StoreError) -> Transaction {
        var result = transaction
        for (position, operation) in transaction.operations.enumerated() {
            guard case .deleteWhere(let filter) = operation else { continue }
            result.operations[position] = .delete(try snapshot.ids(where: filter, onDamage: .refuse))
        }
        return result
    }

    /// What a transaction makes of the metadata, as a segment to be written; nothing where it leaves it as it is.
    ///
    /// Where the metadata cannot be read, a transaction that is of rows only leaves it alone.
    func metadataChange(
        of transaction: Transaction, _ resolved: ResolvedTransaction
    ) throws(StoreError) -> StateChange {
        let speaks = transaction.speaksOfMetadata
        if !speaks, snapshot.metadataEntries.isEmpty { return StateChange() }
        let metadata: LoadedMetadata
        do throws(StoreError) {
            metadata = try snapshot.metadata()
        } catch {
            if case .damaged = error, !speaks { return StateChange() }
            throw error
        }
        var changes = try changes(of: transaction, resolved, to: metadata)
        if changes.isEmpty { return StateChange() }
        try refuseMissingRows(of: changes, resolved)
        let sweep = metadata.hasLiveRecordsOnly ? MetadataChanges() : try sweep(of: metadata.state)
        if !sweep.isEmpty {
            var all = sweep
            all.merge(changes)
            changes = all
        }
        do throws(MetadataError) {
            // What an old peer named besides the chain is no use to anybody, and an obstacle to strict readers.
            let commit = try metadata.state.committing(changes, asSnapshot: !metadata.isPlain)
            guard let commit else { return StateChange() }
            var state = StateChange()
            state.segments = [StateChange.Segment(type: .metadata, payload: commit.payload)]
            if commit.isSnapshot { state.superseded = Set(metadata.segments) }
            state.metadata = commit
            return state
        } catch {
            throw StoreError.invalidMetadata(file.path, error)
        }
    }

    /// All that a transaction does to metadata, in its order.
    private func changes(
        of transaction: Transaction, _ resolved: ResolvedTransaction, to metadata: LoadedMetadata
    ) throws(StoreError) -> MetadataChanges {
        var changes = MetadataChanges()
        let state = metadata.state
        if state.recordCount > 0, !metadata.hasLiveRecordsOnly {
            // A row that comes again after a peer deleted it, and left its record.
            for position in 0..<resolved.run.count {
                let id = resolved.run.id(at: position)
                if state.hasRecord(id), try isGone(id) { changes.removeAll(for: id) }
            }
        }
        for operation in transaction.operations {
            switch operation {
            case .upsert(let rows):
                for row in rows {
                    if let fields = row.metadata { changes.replaceAll(for: row.id, with: fields) }
                }
            case .upsertFlat, .deleteWhere: break
            case .delete(let ids):
                for id in ids where changes.names(id) || state.hasRecord(id) { changes.removeAll(for: id) }
            case .metadata(let more): changes.merge(more)
            }
        }
        return changes
    }

    /// Removes the records of ids that are not there any more: deleted by a peer that knows nothing of metadata.
    private func sweep(of state: MetadataState) throws(StoreError) -> MetadataChanges {
        var changes = MetadataChanges()
        for id in state.ids {
            if try isGone(id) { changes.removeAll(for: id) }
        }
        return changes
    }

    /// Whether it is known that there is no row of an id. Where rows are damaged, only what was deleted is gone.
    private func isGone(_ id: UInt64) throws(StoreError) -> Bool {
        if snapshot.isDeleted(id) { return true }
        guard try snapshot.rowIndex().row(of: id) == nil else { return false }
        return try snapshot.knowsAllIDs()
    }

    /// Peers refuse a store in which an id has metadata and no row.
    private func refuseMissingRows(
        of changes: MetadataChanges, _ resolved: ResolvedTransaction
    ) throws(StoreError) {
        var missing: UInt64?
        for (id, record) in changes.records where record.setsSomething {
            if let missing, missing < id { continue }
            if resolved.run.contains(id) { continue }
            let isDeleted = resolved.deletedIDs.positionInRising(id) != nil
            let isThere = isDeleted ? false : try snapshot.isLive(id)
            if !isThere { missing = id }
        }
        if let missing { throw StoreError.metadataWithoutRow(file.path, id: missing) }
    }

    /// The metadata once a commit is written; nil where the commit leaves it.
    func metadata(
        after state: StateChange, _ manifest: ManifestPayload
    ) throws(StoreError) -> LoadedMetadata? {
        guard let commit = state.metadata else { return nil }
        var next = try snapshot.metadata().after(
            commit, named: manifest.directory.filter { $0.type == .metadata })
        // The commit removed what it found to be of nobody. Of rows that cannot be read nobody knows.
        next.hasLiveRecordsOnly = try snapshot.knowsAllIDs()
        return next
    }
}
