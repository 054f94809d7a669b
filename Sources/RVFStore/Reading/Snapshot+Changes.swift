extension Snapshot {
    /// The ids whose rows differ between an earlier state of the same file and this one, for whoever keeps something
    /// that is made from the rows.
    ///
    /// ```swift
    /// let changes = try new.changes(since: old)
    /// for id in changes.removed { cache.remove(id) }
    /// for id in changes.added + changes.replaced { cache.update(id, try new.vector(id: id)) }
    /// ```
    ///
    /// The two states are compared, not the commits between them: an id that was added and deleted meanwhile is not
    /// mentioned, and one that was deleted and came again is replaced if its components differ, unchanged if not. A row
    /// that was only moved, as merging does, is unchanged.
    ///
    /// The cost is that of the segments that only one of the states has, and of one search for each of their ids. The
    /// ids of all other segments are read once, as at the first access to a row.
    ///
    /// - Parameter earlier: a state of the same file, from any reader or writer of it.
    /// - Throws: ``StoreError/historyGone(_:what:)`` where `earlier` is no earlier state of the same file, for example
    ///   since the store was compacted: everything is then to be read anew.
    ///   ``StoreError/damaged(_:offset:what:)`` where a vector segment of either state is damaged: what is in it cannot
    ///   be told.
    public func changes(since earlier: Snapshot) throws(StoreError) -> SnapshotChanges {
        try core.changes(since: earlier.core)
    }
}
