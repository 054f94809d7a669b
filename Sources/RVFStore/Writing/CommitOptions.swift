/// How a commit is made.
public struct CommitOptions: Sendable {
    /// What a commit waits for.
    public enum Durability: Sendable {
        /// The commit is on the medium when the call returns: two syncs. A reader can see it between its manifest's
        /// write and the second sync, an instant before it is durable.
        case ordered
        /// The commit is on the medium when the call returns, through one sync: for commits of up to 1 MiB (all that was
        /// not durable before counts); larger ones are ``ordered``. A reader can see the commit before it is durable.
        /// When the system goes down during the commit, what is left of it is checked whole when the store is opened
        /// next, and the commit before it counts where something is missing; ``Snapshot/rejectedManifests`` says so.
        ///
        /// Readers of other makers check less: after the system went down during such a commit they may show rows that
        /// are not whole, or find no store, until the store has been opened once by a ``StoreWriter``.
        case singleSync
        /// Nothing is waited for. The commit is visible at once, and survives the end of this process, but after the
        /// system went down the store may be at any commit from the last durable one on: which one, is found out by
        /// checking every segment that has been written since then, each time the store is opened, until a later
        /// ordered commit or ``StoreWriter/sync()``. For bulk loads.
        ///
        /// Readers of other makers check less: after the system went down they may show rows of a commit that is
        /// not whole, or find no store, until the store has been opened once by a ``StoreWriter``.
        case none
    }

    public var durability: Durability

    public init(durability: Durability = .ordered) {
        self.durability = durability
    }
}
