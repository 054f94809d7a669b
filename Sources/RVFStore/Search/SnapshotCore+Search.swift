extension SnapshotCore {
    /// The live rows nearest to a query, by looking at every row.
    package func nearest(
        to query: [Float], limit: Int, onDamage policy: DamagePolicy
    ) throws(StoreError) -> [SearchHit] {
        var search = try exactSearch(for: query, limit: limit)
        guard limit > 0 else { return [] }
        let table = try vectorTable()
        let index = try rowIndex()
        if policy == .refuse, let damage = try damages().first { throw damage }
        for (number, segment) in table.segments.enumerated() {
            if try damage(of: segment) != nil { continue }
            let firstRow = Int(table.firstRow(ofSegment: number))
            try segment.forEachPiece(in: source) { (rows, firstOfPiece, _) throws(StoreError) in
                let first = firstRow + firstOfPiece
                // An older row of an id that came again, or a deleted one, is not there any more.
                search.scan(rows) { id, position in
                    !isDeleted(id) && index.row(of: id).map(Int.init) == first + position
                }
            }
        }
        return search.hits
    }

    /// Refuses what cannot be measured.
    private func exactSearch(for query: [Float], limit: Int) throws(StoreError) -> ExactSearch {
        let payload = manifest.payload
        let path = source.file.path
        guard query.count == Int(payload.dimension) else {
            throw StoreError.invalidQuery(path, .dimension(expected: Int(payload.dimension), found: query.count))
        }
        if let component = query.firstIndex(where: { !$0.isFinite }) {
            throw StoreError.invalidQuery(path, .notFinite(component: component))
        }
        guard let search = ExactSearch(query: query, metric: payload.metric, limit: limit) else {
            throw StoreError.invalidQuery(path, .unknownMetric(payload.metric))
        }
        return search
    }
}
