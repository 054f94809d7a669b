/// What a disk or its system does wrong on purpose, so that the store above it behaves as if a step of a commit, a
/// creation or a compaction had been left out. Each has to be found by power cuts.
package enum DiskDefect: String, CaseIterable, Sendable {
    /// A commit's header can be on the medium before what it names: the first of its two syncs does nothing, as if both
    /// were written together.
    case noSyncBeforeHeader
    /// A commit is acknowledged before it is durable: the second of its syncs does nothing.
    case noSyncAfterHeader
    /// A sync of the store makes durable what was there at the one before: the drive acknowledges what is in its cache.
    case syncsComeLate
    /// A sync of the store makes bytes durable and forgets the file's new length.
    case syncsForgetLength
    /// A new store is not synced before it gets its name.
    case noSyncOfCreatedFile
    /// A new store's name is not made durable.
    case noSyncOfCreatedName
    /// A new store has its name while it is still being written.
    case namesBeforeContent
    /// What a compaction wrote is not synced before it gets the store's name.
    case noSyncOfCompactedFile
    /// The name of what a compaction wrote is not made durable.
    case noSyncOfCompactedName
    /// The name of a store whose maker was killed before it was durable is not made durable by who opens it next.
    case noSyncOfFoundName
    /// A commit whose writer was killed before it was durable is taken for durable by who opens the store next.
    case noSyncOfFoundCommit
    /// A rename removes what has the name, and renames then.
    case renamesInTwoSteps
    /// As ``noSyncBeforeHeader``, but only after a power cut.
    case noSyncBeforeHeaderLater

    /// How it shows after a power cut; nil where the machine is sound then.
    var later: DiskDefect? { self == .noSyncBeforeHeaderLater ? .noSyncBeforeHeader : nil }
}
