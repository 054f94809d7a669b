package import RVFHost

// What the segment's ids are: by a row index where one speaks of the segment, else by the rows. An index only says
// where to look. What it says of a row counts if the row says it too, and where a row whose segment is intact says
// otherwise the index is not gone by any more.
extension VectorSegment {
    /// The lowest and the highest id; nil where there are none. Reads no row where there is an index.
    func idBounds<H: Host>(in source: ByteSource<H>) throws(StoreError) -> ClosedRange<UInt64>? {
        try ids.bounds(of: self, in: source)
    }

    /// The segment's ids, with their rows counted from 0: from the index, which is checked once, or from the rows once
    /// the payload was checked. Those of a damaged payload are given as they stand.
    package func rowRun<H: Host>(in source: ByteSource<H>) throws(StoreError) -> RowRun {
        try ids.run(of: self, in: source).run
    }

    /// Whether an index tells the ids, whatever the state of the rows.
    package func isIndexed<H: Host>(in source: ByteSource<H>) throws(StoreError) -> Bool {
        try ids.areIndexed(of: self, in: source)
    }

    /// Whether nothing is known to be wrong with the segment, and its ids are known. The payload is checked only where
    /// its ids have to be read from it.
    func isUsable<H: Host>(in source: ByteSource<H>) throws(StoreError) -> Bool {
        if isFoundDamaged { return false }
        if isFoundIntact { return true }
        if try isIndexed(in: source) { return true }
        return try damage(in: source) == nil
    }

    /// What is wrong with the segment, nil if nothing is. An error of the system is thrown.
    func damage<H: Host>(in source: ByteSource<H>) throws(StoreError) -> StoreError? {
        do throws(StoreError) {
            _ = try checkedLayout(in: source)
            return nil
        } catch {
            if case .damaged = error { return error }
            throw error
        }
    }

    /// The newest row of an id, counted from 0. Where an index says which, the row has been asked.
    func row<H: Host>(of id: UInt64, in source: ByteSource<H>) throws(StoreError) -> Int? {
        let (run, isIndexed) = try ids.run(of: self, in: source)
        guard let row = run.row(of: id).map(Int.init) else { return nil }
        guard isIndexed, try self.id(ofRow: row, in: source) != id else { return row }
        // It is the index that tells the truth where the row's segment is damaged.
        guard try damage(in: source) == nil else { return row }
        try ids.distrust(of: self, in: source)
        return try rowRun(in: source).row(of: id).map(Int.init)
    }

    private func id<H: Host>(ofRow row: Int, in source: ByteSource<H>) throws(StoreError) -> UInt64? {
        guard let layout, row < layout.rowCount else { return nil }
        return try source.withBytes(
            at: entry.payloadOffset + UInt64(layout.offset(ofRow: row)), count: VectorPayload.idByteCount
        ) { (bytes) throws(StoreError) in bytes.integer(UInt64.self, at: 0) }
    }

    /// Whether the rows may be copied elsewhere: they are read once more, so that bytes that went bad since the first
    /// check are not given a new hash that hides it, and so that no row is left out because of what an index says.
    func isFitForCopying<H: Host>(in source: ByteSource<H>) throws(StoreError) -> Bool {
        guard try isPayloadRight(in: source) else { return false }
        let (run, isIndexed) = try ids.run(of: self, in: source)
        guard isIndexed, try !agrees(with: run, in: source) else { return true }
        try ids.distrust(of: self, in: source)
        return false
    }

    /// Whether a run has every row's id, and with it the row.
    func agrees<H: Host>(with run: RowRun, in source: ByteSource<H>) throws(StoreError) -> Bool {
        guard run.count == layout?.rowCount else { return false }
        var agrees = true
        try forEachPiece(in: source) { (rows, first, count) throws(StoreError) in
            let stride = rows.byteCount / count
            var row = 0
            while agrees, row < count {
                let id = rows.integer(UInt64.self, at: row * stride)
                // At the place of the row itself, where rows stand in the order of their ids.
                let isInPlace = run.id(at: first + row) == id && Int(run.row(at: first + row)) == first + row
                agrees = isInPlace || run.row(of: id).map(Int.init) == first + row
                row += 1
            }
        }
        return agrees
    }

    /// The ids in the order of their rows, once the payload was checked; those of a damaged payload as they stand.
    func readIDs<H: Host>(in source: ByteSource<H>) throws(StoreError) -> [UInt64] {
        _ = try damage(in: source)
        var ids: [UInt64] = []
        ids.reserveCapacity(layout?.rowCount ?? 0)
        try forEachPiece(in: source) { (rows, _, count) throws(StoreError) in
            let stride = rows.byteCount / count
            for row in 0..<count { ids.append(rows.integer(UInt64.self, at: row * stride)) }
        }
        return ids
    }
}
