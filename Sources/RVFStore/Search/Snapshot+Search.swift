extension Snapshot {
    /// The rows nearest to a vector by the store's metric, the nearest first; of one distance, by id.
    ///
    /// Every row is looked at, so the result is exact, and the time grows with the store. Deleted rows, and those that
    /// a later row of their id replaced, are not found. Rows of other writers may hold components that are no finite
    /// numbers; where the distance is then no number, they are the farthest.
    ///
    /// - Parameters:
    ///   - query: As many components as ``dimension``, all of them finite.
    ///   - limit: How many rows to find at most; none for 0.
    ///   - filter: What has to be true of the metadata of a row that is found; it is asked only of rows that are near
    ///     enough. Nil: all rows are, and no metadata is read.
    /// - Throws: ``StoreError/invalidQuery(_:_:)`` for a vector that cannot be compared with the store's rows,
    ///   ``StoreError/damaged(_:offset:what:)`` where rows cannot be read, unless the policy passes over them, and where
    ///   the metadata that the filter asks for cannot be, whatever the policy.
    public func nearest(
        to query: [Float], limit: Int, where filter: MetadataFilter? = nil, onDamage policy: DamagePolicy = .refuse
    ) throws(StoreError) -> [SearchHit] {
        try core.nearest(to: query, limit: limit, where: filter, onDamage: policy)
    }
}
