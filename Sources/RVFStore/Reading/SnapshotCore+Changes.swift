import RVFHost

extension SnapshotCore {
    /// See ``Snapshot/changes(since:)``.
    package func changes(since earlier: SnapshotCore<H>) throws(StoreError) -> SnapshotChanges {
        try requireSameFile(as: earlier)
        if earlier.manifest.offset == manifest.offset { return SnapshotChanges() }
        // Whichever of the two has been looked into lends the other what it knows.
        let old = try earlier.vectorTable(sharing: self)
        let new = try vectorTable(sharing: earlier)
        // Of a segment whose ids nobody knows, each could be one that seems to be new.
        if let damage = try damageOfUnknownIDs() { throw damage }
        if let damage = try earlier.damageOfUnknownIDs() { throw damage }

        let difference = SegmentDifference(from: old.segments.map(\.entry), to: new.segments.map(\.entry))
        // An id that no differing segment has, and of which both say or neither that it is deleted, has the row it had.
        var candidates = earlier.deletedIDs.differenceOfRising(deletedIDs)
        for position in difference.onlyInEarlier {
            candidates += try earlier.intactIDs(of: old.segments[position])
        }
        for position in difference.onlyInLater {
            candidates += try intactIDs(of: new.segments[position])
        }
        let oldIndex = try earlier.rowIndex()
        let newIndex = try rowIndex()
        var changes = SnapshotChanges()
        for id in candidates.risingDistinct {
            switch (try earlier.liveOffset(of: id, oldIndex, old), try liveOffset(of: id, newIndex, new)) {
            case (nil, nil): break
            case (nil, _?): changes.added.append(id)
            case (_?, nil): changes.removed.append(id)
            case (let before?, let after?):
                if before != after, try !hasSameRow(at: after, as: earlier, at: before) { changes.replaced.append(id) }
            }
        }
        return changes
    }

    /// Throws where the segment is damaged: its rows may have been any.
    private func intactIDs(of segment: VectorSegment) throws(StoreError) -> [UInt64] {
        if let damage = try damage(of: segment) { throw damage }
        let run = try segment.rowRun(in: source)
        return (0..<run.count).map { run.id(at: $0) }
    }

    /// Where in the file the row of an id stands; nil where the id cannot be found.
    private func liveOffset(
        of id: UInt64, _ index: RowIndex, _ table: VectorTable
    ) throws(StoreError) -> UInt64? {
        guard !isDeleted(id), let row = index.row(of: id) else { return nil }
        let place = table.locate(row)
        let layout = try place.segment.checkedLayout(in: source)
        return place.segment.entry.payloadOffset + UInt64(layout.offset(ofRow: place.row))
    }

    /// Whether two rows of one id have the same components. Each is read where its snapshot has it.
    private func hasSameRow(
        at offset: UInt64, as earlier: SnapshotCore<H>, at earlierOffset: UInt64
    ) throws(StoreError) -> Bool {
        let stride = VectorPayload.strideBytes(dimension: Int(manifest.payload.dimension))
        return try earlier.source.withBytes(at: earlierOffset, count: stride) { (before) throws(StoreError) in
            try source.withBytes(at: offset, count: stride) { (after) throws(StoreError) in
                before.hasSameBytes(as: after)
            }
        }
    }

    /// Throws unless the other is an earlier state, or this one, of the same file.
    private func requireSameFile(as earlier: SnapshotCore<H>) throws(StoreError) {
        let path = source.file.path
        // Both are open, so the number of neither can have come to another file.
        if source.file !== earlier.source.file,
            try source.file.status().identity != earlier.source.file.status().identity
        {
            throw StoreError.historyGone(path, what: "another file has taken its place, as a compaction does")
        }
        guard earlier.manifest.offset <= manifest.offset else {
            throw StoreError.historyGone(path, what: "the state to compare with is the newer one")
        }
        // The file is only ever added to, unless somebody overwrote it in place.
        guard try source.header(at: earlier.manifest.offset) == earlier.manifest.header,
            earlier.manifest.payload.dimension == manifest.payload.dimension
        else {
            throw StoreError.historyGone(path, what: "the file was overwritten with something else")
        }
    }
}

extension RawSpan {
    /// Whether two spans hold the same bytes.
    func hasSameBytes(as other: RawSpan) -> Bool {
        guard byteCount == other.byteCount else { return false }
        var offset = 0
        while offset + 8 <= byteCount {
            if integer(UInt64.self, at: offset) != other.integer(UInt64.self, at: offset) { return false }
            offset += 8
        }
        while offset < byteCount {
            if integer(UInt8.self, at: offset) != other.integer(UInt8.self, at: offset) { return false }
            offset += 1
        }
        return true
    }
}
