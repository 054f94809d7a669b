/// At which points a commit waits for the medium, and what its manifest says about that.
struct SyncPace: Equatable, Sendable {
    /// Whether rows and the manifest's payload are durable before the manifest's header is written.
    let syncsBeforeManifest: Bool
    /// Whether all is durable when the commit returns.
    let syncsAfterManifest: Bool
    /// See ``PlacementMark``. Nil where the order of the syncs makes a torn commit impossible.
    let unsyncedFrom: UInt64?

    /// Every reader checks a commit of a single sync whole when it opens the file, so that it may not be large.
    static let singleSyncByteLimit: UInt64 = 1 << 20

    /// - Parameters:
    ///   - start: everything before this is durable.
    ///   - end: the commit ends here, or before.
    init(_ durability: CommitOptions.Durability, from start: UInt64, to end: UInt64) {
        switch durability {
        case .singleSync where end - start <= Self.singleSyncByteLimit:
            syncsBeforeManifest = false
            syncsAfterManifest = true
            unsyncedFrom = start
        case .ordered, .singleSync:
            syncsBeforeManifest = true
            syncsAfterManifest = true
            unsyncedFrom = nil
        case .none:
            syncsBeforeManifest = false
            syncsAfterManifest = false
            unsyncedFrom = start
        }
    }
}
