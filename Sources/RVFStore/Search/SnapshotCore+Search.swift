extension SnapshotCore {
    /// The live rows nearest to a query for which a filter is true, by looking at every row.
    package func nearest(
        to query: [Float], limit: Int, where filter: MetadataFilter?, onDamage policy: DamagePolicy
    ) throws(StoreError) -> [SearchHit] {
        var search = try exactSearch(for: query, limit: limit)
        guard limit > 0 else { return [] }
        let table = try vectorTable()
        let index = try rowIndex()
        let condition = try filter.map { (filter) throws(StoreError) in
            let state = try metadata().state
            return (state: state, filter: BoundFilter(filter, schema: state.schema))
        }
        if policy == .refuse, let damage = try damages().first { throw damage }
        for (number, segment) in table.segments.enumerated() {
            if try damage(of: segment) != nil { continue }
            let firstRow = Int(table.firstRow(ofSegment: number))
            try segment.forEachPiece(in: source) { (rows, firstOfPiece, _) throws(StoreError) in
                let first = firstRow + firstOfPiece
                // An older row of an id that came again, or a deleted one, is not there any more.
                search.scan(rows) { id, position in
                    guard !isDeleted(id), index.row(of: id).map(Int.init) == first + position else { return false }
                    return condition.map { $0.state.matches($0.filter, id: id) } ?? true
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
