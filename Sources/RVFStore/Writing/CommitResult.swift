/// What a commit did.
public struct CommitResult: Equatable, Sendable {
    /// The epoch of the state that the store is in now; as before where nothing was to be changed.
    /// An automatic compaction after the commit is another epoch.
    public var epoch: UInt32
    /// Rows that were added or replaced.
    public var upserted: Int
    /// Ids that could be found before and cannot be any more.
    public var deleted: Int
    /// Distinct ids to be deleted that the store did not have.
    public var ignored: Int
    /// Ids whose metadata was changed or removed, those that were deleted with it included.
    public var metadataChanged: Int

    package init(epoch: UInt32, upserted: Int, deleted: Int, ignored: Int, metadataChanged: Int = 0) {
        self.epoch = epoch
        self.upserted = upserted
        self.deleted = deleted
        self.ignored = ignored
        self.metadataChanged = metadataChanged
    }
}
