extension MetadataState {
    /// Those of some rising ids for which a filter that was bound to this state's schema is true. Ids without a record
    /// are ids all of whose fields are missing.
    package func ids(among candidates: [UInt64], where filter: BoundFilter) -> [UInt64] {
        let takesIDsWithoutRecord = filter.matches(RawSpan())
        // The first run has most of the records, and is not copied.
        let (first, later) = (runs.first ?? MetadataRecords(), mergedChanges())
        let (baseFields, changedFields) = (first.bytes.bytes, later.bytes.bytes)
        var base = MetadataRecordWalk(first)
        var changes = MetadataRecordWalk(later)
        var result: [UInt64] = []
        for id in candidates {
            var isTaken = takesIDsWithoutRecord
            if changes.find(id) {
                if !changes.isDelete { isTaken = filter.matches(changedFields.extracting(changes.range)) }
            } else if base.find(id) {
                isTaken = filter.matches(baseFields.extracting(base.range))
            }
            if isTaken { result.append(id) }
        }
        return result
    }

    /// The records' ids, rising.
    package var ids: [UInt64] {
        guard runs.count > 1 else { return runs.first?.ids ?? [] }
        var ids = runs[0].ids
        for run in runs.dropFirst() {
            var merged: [UInt64] = []
            merged.reserveCapacity(ids.count + run.count)
            var old = 0
            for position in 0..<run.count {
                while old < ids.count, ids[old] < run.ids[position] {
                    merged.append(ids[old])
                    old += 1
                }
                if old < ids.count, ids[old] == run.ids[position] { old += 1 }
                if !run.isDelete(at: position) { merged.append(run.ids[position]) }
            }
            merged += ids[old...]
            ids = merged
        }
        return ids
    }

    /// The same metadata without some records.
    ///
    /// - Parameter isKept: asked for every record, by its position in ``ids``.
    package func keepingRecords(where isKept: (Int) -> Bool) -> MetadataState {
        var kept = MetadataRecords()
        let all = merged()
        for position in 0..<all.count where isKept(position) { kept.append(all, at: position) }
        return replacingRecords(kept)
    }
}

/// Looks records up by rising ids.
private struct MetadataRecordWalk {
    let records: MetadataRecords
    private var position = 0

    init(_ records: MetadataRecords) {
        self.records = records
    }

    /// Whether there is a record of an id, which is higher than those that were looked for before.
    mutating func find(_ id: UInt64) -> Bool {
        while position < records.count, records.ids[position] < id { position += 1 }
        return position < records.count && records.ids[position] == id
    }

    var isDelete: Bool { records.isDelete(at: position) }
    var range: Range<Int> { records.range(at: position) }
}
