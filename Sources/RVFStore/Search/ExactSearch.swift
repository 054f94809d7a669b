/// A search that looks at every row. Rows come in runs as they stand in a vector segment: id and floats, one row
/// after another, from wherever the caller has them.
///
/// ```swift
/// guard var search = ExactSearch(query: query, metric: .cosine, limit: 10) else { … }
/// try segment.forEachPiece(in: source) { rows, firstRow, _ in
///     search.scan(rows) { id, position in isLive(id, row: firstRow + position) && filter.matches(id) }
/// }
/// let hits = search.hits
/// ```
///
/// Several searches of one query can be run side by side over parts of the rows and then merged; the result is the
/// same. An id that is to be found once is to be offered once.
package struct ExactSearch: Sendable {
    package let distance: VectorDistance
    private var nearest: NearestRows

    /// Nil for a metric that is not known.
    ///
    /// - Parameter limit: how many rows to find.
    package init?(query: [Float], metric: Metric, limit: Int) {
        guard let distance = VectorDistance(query: query, metric: metric) else { return nil }
        self.distance = distance
        nearest = NearestRows(limit: limit)
    }

    /// What has been found, the nearest first.
    package var hits: [SearchHit] { nearest.sorted() }

    /// Looks at a run of rows.
    ///
    /// The predicate is asked about a row only where its distance would put it among the nearest, since asking costs
    /// more than measuring; so it must not depend on being asked, nor on the order.
    ///
    /// - Parameters:
    ///   - rows: whole rows of the query's dimension, each a u64 id and the floats, little-endian and not aligned.
    ///   - isIncluded: whether a row counts, by its id and its position in the run from 0.
    package mutating func scan(_ rows: RawSpan, where isIncluded: (_ id: UInt64, _ position: Int) -> Bool) {
        let stride = VectorPayload.strideBytes(dimension: distance.dimension)
        precondition(rows.byteCount % stride == 0, "a run that ends within a row")
        for position in 0..<(rows.byteCount / stride) {
            let start = position * stride
            let row = rows.extracting((start + VectorPayload.idByteCount)..<(start + stride))
            let hit = SearchHit(id: rows.integer(UInt64.self, at: start), distance: distance(row))
            if nearest.admits(hit), isIncluded(hit.id, position) { nearest.offer(hit) }
        }
    }

    /// Looks at one row.
    package mutating func consider(_ id: UInt64, _ row: RawSpan) {
        nearest.offer(SearchHit(id: id, distance: distance(row)))
    }

    /// Takes what a search of the same query found in other rows.
    package mutating func merge(_ other: ExactSearch) {
        nearest.merge(other.nearest)
    }
}
