/// What to do about rows in a vector segment that is damaged.
public enum DamagePolicy: Sendable {
    /// Throw ``StoreError/damaged(_:offset:what:)``, naming the first damaged segment.
    case refuse
    /// Leave those rows out.
    case passOver
}

extension SnapshotCore {
    /// Lends the row of a live id; nil where the store has none.
    ///
    /// Where a segment is damaged that has no row index, an id that is found nowhere else is reported as damaged: it may
    /// be in there.
    package func withVector<Value>(
        id: UInt64, _ body: (VectorView) -> Value
    ) throws(StoreError) -> Value? {
        if isDeleted(id) { return nil }
        guard let place = try rowFinder().find(id, in: source) else {
            if let damage = try damageOfUnknownIDs() { throw damage }
            return nil
        }
        let layout = try place.segment.checkedLayout(in: source)
        let offset = place.segment.entry.payloadOffset + UInt64(layout.offset(ofRow: place.row))
        return try source.withBytes(at: offset, count: layout.strideBytes) { (bytes) throws(StoreError) in
            // What an index says of a row holds only if the row says it too.
            guard bytes.integer(UInt64.self, at: 0) == id else {
                throw StoreError.damaged(
                    source.file.path, offset: offset, what: "the row here should have the id \(id)")
            }
            return body(VectorView(components: bytes.extracting(VectorPayload.idByteCount..<bytes.byteCount)))
        }
    }

    /// The live ids, rising.
    package func liveIDs(onDamage policy: DamagePolicy) throws(StoreError) -> [UInt64] {
        let damages = try damages()
        if policy == .refuse, let damage = damages.first { throw damage }
        let table = try vectorTable()
        var ids: [UInt64] = []
        ids.reserveCapacity(min(table.rowCount, Int(clamping: manifest.payload.totalVectorCount)))
        var deleted = deletedIDs[...]
        try rowIndex().forEach { (id, row) throws(StoreError) in
            while let first = deleted.first, first < id { deleted.removeFirst() }
            if deleted.first == id { return }
            if !damages.isEmpty, try damage(of: table.locate(row).segment) != nil { return }
            ids.append(id)
        }
        return ids
    }

    /// Lends every live row in the order in which the rows stand in the file.
    package func forEachRow(
        onDamage policy: DamagePolicy, _ body: (UInt64, VectorView) -> Void
    ) throws(StoreError) {
        let table = try vectorTable()
        let live = try liveRows()
        if policy == .refuse, let damage = try damages().first { throw damage }
        for (number, segment) in table.segments.enumerated() {
            if try damage(of: segment) != nil { continue }
            let firstRow = Int(table.firstRow(ofSegment: number))
            try segment.forEachPiece(in: source) { (rows, firstOfPiece, count) throws(StoreError) in
                let stride = rows.byteCount / count
                // An older row of an id that came again, or a deleted one, is not there any more.
                for row in 0..<count where live.contains(firstRow + firstOfPiece + row) {
                    let id = rows.integer(UInt64.self, at: row * stride)
                    let components = (row * stride + VectorPayload.idByteCount)..<((row + 1) * stride)
                    body(id, VectorView(components: rows.extracting(components)))
                }
            }
        }
    }
}
