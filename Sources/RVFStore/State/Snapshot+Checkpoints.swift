extension Snapshot {
    /// How far a source had been taken in; nil where nothing is known of it.
    ///
    /// A checkpoint and the rows of its commit are there together, or neither is. Where a program of another maker has
    /// written to the store since, the checkpoint may be an earlier one; it never counts events whose rows are not
    /// there.
    ///
    /// - Throws: ``StoreError/damaged(_:offset:what:)`` where the checkpoints cannot be read.
    public func checkpoint(source: String) throws(StoreError) -> Checkpoint? {
        try core.checkpointList()[source]
    }

    /// All checkpoints, by the bytes of their sources' names. See ``checkpoint(source:)``.
    public var checkpoints: [Checkpoint] {
        get throws(StoreError) { try core.checkpointList().all }
    }
}
