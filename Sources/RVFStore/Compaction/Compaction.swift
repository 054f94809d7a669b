import RVFHost

/// What a compaction did.
public struct CompactionReport: Equatable, Sendable {
    /// Bytes of the file before, what no manifest named included.
    public var byteCountBefore: UInt64
    /// Bytes of the file now.
    public var byteCount: UInt64
    /// Rows that were copied: all that can be found.
    public var rowCount: Int
    /// Rows that were left out: deleted ones, and those that a later row of the same id had replaced.
    public var droppedRowCount: Int
    /// Segments of other writers that were carried over byte for byte.
    public var carriedSegmentCount: Int
}

extension StoreWriter {
    /// Writes the store anew without what is deleted, replaced or superseded, puts the new file in the old one's place,
    /// and goes on in it.
    ///
    /// Rows keep their order; all metadata becomes one segment; segments of other writers, named or not, are carried over
    /// byte for byte. The new file is
    /// complete and durable before it takes the name: an interruption leaves the old one as it was, and at most a
    /// private file beside it, which a later writer removes. Readers keep the file that they have open, and come to
    /// the new one with their next refresh. Mode, extended attributes and access control list are kept, and owner and
    /// group as far as this process may set them. Where the path is a symbolic link, what it leads to is replaced.
    ///
    /// It needs room for the new file beside the old one. Memory stays under 64 MB and a bit for each row, and
    /// what the metadata takes, up to four times: as it was read, as it is kept, and on its way to the file.
    ///
    /// - Throws: ``StoreError/damaged(_:offset:what:)`` where a segment is damaged (repair the store first),
    ///   ``StoreError/noSpace(_:neededByteCount:availableByteCount:)``, ``StoreError/hardLinked(_:)``,
    ///   ``StoreError/cancelled(_:)``, ``StoreError/notReplaced(_:)``, and what a commit throws. The store is then as
    ///   it was, unless the name could not be made durable at the very end: the next commit does that first.
    @discardableResult
    public mutating func compact(options: WorkOptions = WorkOptions()) throws(StoreError) -> CompactionReport {
        try core.compact(options)
    }

    /// Compacts the store if that is worth its while, as ``compact(options:)`` does: at the end of a load, or when there is
    /// nothing else to do. Whether it is, costs next to nothing to find out; the first time that it seems to be, the
    /// headers in the file are gone through.
    ///
    /// - Returns: nil where it was not due.
    @discardableResult
    public mutating func compactIfDue(
        _ triggers: CompactionTriggers = CompactionTriggers()
    ) throws(StoreError) -> CompactionReport? {
        try core.compactIfDue(triggers)
    }

    /// How the last compaction that ``WriterOptions/compaction`` asked for ended; nil where there was none. A failure says
    /// nothing against the commit before it; if it is one that concerns the next commit, such as a lock that was lost,
    /// that one throws it too.
    public var lastAutomaticCompaction: Result<CompactionReport, StoreError>? { core.lastAutomaticCompaction }
}
