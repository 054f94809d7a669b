import RVFHost

/// A checkpoint segment that a commit is going to write.
struct CheckpointDraft: Sendable {
    var current: CheckpointList
    var prior: CheckpointList
    var generation: UInt64
    var fileID: [UInt8]
    /// Segments that the new one takes the place of.
    var superseded: Set<DirectoryEntry>
    /// The states that the new one must be told from: the one before, and the last that is durable.
    var known: [RowState]
    /// Ids that are deleted in the last durable state, rising.
    var durablyDeleted: [UInt64]
    var changesRows: Bool
    /// Where the commit changes no rows: whether there is nothing that they would have to tell.
    var isProvableWithoutRows: Bool

    /// Makes the payload's limit and content, once it is known which ids the commit leaves deleted.
    func complete(_ change: inout StoreChange) {
        guard let position = change.state.segments.lastIndex(where: { $0.type == .checkpoints }) else { return }
        let deleted = change.deletedIDs.filter { durablyDeleted.positionInRising($0) == nil }
        let limit = CheckpointPayload.smallestByteCount + 8 * deleted.count + current.encodedByteCount
            + prior.encodedByteCount
        change.state.segments[position] = StateChange.Segment(type: .checkpoints, byteCountLimit: limit) { vectors in
            payload(vectors.map(\.rowStateSegment), deleted: deleted).encoded
        }
    }

    func payload(_ segments: [RowState.Segment], deleted: [UInt64]) -> CheckpointPayload {
        let binding = CheckpointBinding(segments, deletedIDs: deleted)
        let isTold = changesRows && !known.contains { binding.agrees(with: $0) }
        return CheckpointPayload(
            fileID: fileID, generation: generation, isProvable: changesRows ? isTold : isProvableWithoutRows,
            binding: binding, current: current, prior: prior)
    }
}

extension StoreWriterCore {
    /// Lists up to this length are written again with every commit, so that they agree with its rows. Longer ones only
    /// when they change: what is lost is that an earlier checkpoint may count once another program has written.
    private static var rewrittenByteLimit: Int { 4096 }

    /// The checkpoints after a transaction; nil where they stay as they are.
    func checkpoints(after operations: [Transaction.CheckpointOperation]) throws(StoreError) -> CheckpointList? {
        guard !operations.isEmpty else { return nil }
        let isForOperators = operations.allSatisfy { if case .set = $0 { false } else { true } }
        let before = isForOperators ? try checkpointsIfReadable()?.list : try snapshot.checkpointState().list
        var list = before ?? CheckpointList()
        for operation in operations {
            do throws(CheckpointFailure) {
                switch operation {
                case .set(let checkpoint): try list.set(checkpoint)
                case .restore(let checkpoint): try list.restore(checkpoint)
                case .remove(let source): list.remove(source)
                }
            } catch {
                throw StoreError.checkpoint(file.path, source: error.source, error.problem)
            }
        }
        guard list.encodedByteCount <= CheckpointList.byteLimit else {
            throw StoreError.limit(
                file.path,
                .checkpoints(byteCount: list.encodedByteCount, maximumByteCount: CheckpointList.byteLimit))
        }
        return list == before ? nil : list
    }

    /// Nil where they are damaged.
    private func checkpointsIfReadable() throws(StoreError) -> CheckpointState? {
        do throws(StoreError) {
            return try snapshot.checkpointState()
        } catch {
            guard case .damaged = error else { throw error }
            return nil
        }
    }

    /// The checkpoint segment that a commit writes; nil where it writes none. Damaged ones stay as they are until an
    /// operator replaces them: rows can be added all the same.
    func checkpointDraft(
        _ list: CheckpointList?, beside state: StateChange, changesRows: Bool
    ) throws(StoreError) -> CheckpointDraft? {
        guard let before = try checkpointsIfReadable() ?? list.map({ _ in CheckpointState() }) else { return nil }
        let isOurs = snapshot.manifest.payload.mark != nil
        let isStale = !before.entries.isEmpty && (!isOurs || before.byteCount <= Self.rewrittenByteLimit)
        guard list != nil || isStale else { return nil }
        let durable = unsynced?.durable ?? snapshot
        let current = list ?? before.list
        let changesMetadata = (state.segments.map(\.type) + state.superseded.map(\.type)).contains(.metadata)
        let isAlone = try hasOnlyCheckpoints(since: durable)
        let epoch = UInt64(max(snapshot.manifest.payload.epoch, doubt?.epoch ?? 0))
        let generation = max(before.generation, epoch)
        return CheckpointDraft(
            current: current,
            prior: try (durable === snapshot ? before : durable.checkpointState()).list.noFurther(than: current),
            generation: generation == .max ? .max : generation + 1,
            fileID: (snapshot.manifest.payload.identity ?? newIdentity).fileID,
            superseded: before.entries.union(try snapshot.damagedCheckpoints(list != nil)),
            known: changesRows ? [try snapshot.rowState(), try durable.rowState()] : [],
            durablyDeleted: durable.deletedIDs, changesRows: changesRows,
            isProvableWithoutRows: !changesMetadata && isAlone)
    }

    /// Whether nothing but checkpoints has changed since a state. Otherwise what did may be missing where this commit's
    /// checkpoints are found.
    private func hasOnlyCheckpoints(since durable: SnapshotCore<H>) throws(StoreError) -> Bool {
        guard durable !== snapshot else { return true }
        let metadata = snapshot.manifest.payload.directory.filter { $0.type == .metadata }
        let before = durable.manifest.payload.directory.filter { $0.type == .metadata }
        guard metadata == before else { return false }
        let rows = try snapshot.rowState()
        return try rows == durable.rowState()
    }

    /// What a commit writes besides rows, with what this package keeps in segments of its own.
    ///
    /// - Parameters:
    ///   - upserted, deleted: how many rows the commit changes, for its witness.
    func ownState(
        adding draft: CheckpointDraft?, to state: StateChange, upserted: Int, deleted: Int
    ) throws(StoreError) -> StateChange {
        var state = state
        let manifest = snapshot.manifest.payload
        if manifest.metric != .squaredL2 {
            let identity = manifest.identity ?? newIdentity
            // By calls: a map for one look costs more.
            let source = ByteSource(file: file, byteCount: snapshot.source.byteCount, mode: .positional)
            if try source.storedMetric(manifest) != manifest.metric {
                let payload = MetricPayload(
                    fileID: identity.fileID, dimension: manifest.dimension, metric: manifest.metric)
                state.segments.append(StateChange.Segment(type: .metric, payload: payload.encoded))
            }
        }
        if options.witnesses {
            let action = "commit:epoch=\(try nextEpoch()),upserted=\(upserted),deleted=\(deleted)"
            state.segments.append(StateChange.Segment(type: .witness, payload: try witness(action)))
            if let last = try lastWitness().entry { state.superseded.insert(last) }
        }
        if let draft {
            state.superseded.formUnion(draft.superseded)
            // Its content comes later, and its length with it.
            state.segments.append(StateChange.Segment(type: .checkpoints, payload: []))
        }
        return state
    }
}

extension SnapshotCore {
    /// Checkpoints that are recognised and damaged, where they are replaced.
    fileprivate func damagedCheckpoints(_ areReplaced: Bool) throws(StoreError) -> Set<DirectoryEntry> {
        guard areReplaced else { return [] }
        var entries: Set<DirectoryEntry> = []
        for entry in manifest.payload.directory {
            if try source.checkpointHead(of: entry) != nil { entries.insert(entry) }
        }
        return entries
    }
}
