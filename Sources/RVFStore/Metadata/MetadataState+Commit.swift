/// What to write for a commit's changes to metadata, and the state once it is written.
package struct MetadataCommit: Sendable {
    /// The payload of the segment: a delta, or a full snapshot, which no earlier segment is needed for.
    package var payload: [UInt8]
    package var isSnapshot: Bool
    package var state: MetadataState
    /// Vectors whose record is changed or removed.
    package var changedRecordCount = 0
}

extension MetadataState {
    /// Deltas together may always be this long before a snapshot is written, however short the last one was.
    private static let smallestDeltaAllowance = 64 << 10

    /// What brings the metadata to where these changes ask it to be; nil where it is there already.
    ///
    /// Mostly a delta. It is a full snapshot for the first generation, where no further delta may follow the last
    /// snapshot, and where the deltas since then have become longer than that snapshot: so reading never takes more
    /// than twice what is there, and writing costs no more than twice what is changed in the long run.
    ///
    /// Peers refuse a store in which a vector that is not there has metadata: a commit that deletes vectors removes
    /// all of theirs.
    ///
    /// - Parameter asSnapshot: whether it has to be a full snapshot.
    package func committing(
        _ changes: MetadataChanges, asSnapshot: Bool = false
    ) throws(MetadataError) -> MetadataCommit? {
        guard generation < .max else { throw .limit(what: "the generations have come to their end") }
        var plan = try MetadataPlan(changes, from: self)
        guard let delta = try plan.delta() else { return nil }
        var (next, conflict) = outcome(of: delta)
        if let conflict, let known = schema.position(ofField: conflict.id) {
            throw .type(field: conflict.name, is: schema[known].type, given: conflict.type)
        }
        let payload = try Self.encode(delta)
        if !asSnapshot, takesDelta(ofBytes: payload.count) {
            next.noteWritten(payload.count)
            return MetadataCommit(
                payload: payload, isSnapshot: false, state: next, changedRecordCount: delta.records.count)
        }
        var commit = try next.committingSnapshot(generation: delta.generation)
        commit.changedRecordCount = delta.records.count
        return commit
    }

    /// All of the state as a full snapshot of the next generation, for a store that is written anew.
    package func committingSnapshot() throws(MetadataError) -> MetadataCommit {
        guard generation < .max else { throw .limit(what: "the generations have come to their end") }
        return try committingSnapshot(generation: generation + 1)
    }

    private func committingSnapshot(generation: UInt64) throws(MetadataError) -> MetadataCommit {
        let snapshot = snapshot(generation: generation)
        let payload = try Self.encode(snapshot)
        let state = MetadataState(snapshot: snapshot, byteCount: payload.count)
        return MetadataCommit(payload: payload, isSnapshot: true, state: state)
    }

    private func takesDelta(ofBytes count: Int) -> Bool {
        let deltaByteCount = chainByteCount - snapshotByteCount + count
        return snapshotByteCount > 0 && deltaCount < MetadataFormat.deltaLimit
            && chainByteCount + count <= MetadataFormat.payloadByteLimit
            && deltaByteCount <= max(snapshotByteCount, Self.smallestDeltaAllowance)
    }

    private static func encode(_ payload: MetadataPayload) throws(MetadataError) -> [UInt8] {
        do {
            return try payload.encoded()
        } catch {
            throw .limit(what: error.what)
        }
    }
}
