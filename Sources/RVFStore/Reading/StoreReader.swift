import RVFHost
public import SystemPackage

/// Reads a store. It takes no lock and needs no permission to write, so any number of readers work beside a writer.
///
/// ```swift
/// let reader = try StoreReader(at: "/data/documents.rvf")
/// let snapshot = reader.snapshot()
/// let vector = try snapshot.vector(id: 17)
/// …
/// if try reader.refresh() { /* somebody committed; snapshot() gives the new state */ }
/// for try await snapshot in reader.commits() { /* each newer state, as it is committed */ }
/// ```
///
/// A reader may be used from any thread. What it hands out stays valid after it is gone.
public final class StoreReader: Sendable {
    /// For the parts of this type in other files.
    let core: StoreReaderCore<POSIXHost>

    /// Opens a store at its newest commit. This reads the manifest and the headers of the segments that it names,
    /// however large the file is.
    ///
    /// - Throws: ``StoreError/notAStore(_:_:)`` where the file holds no manifest that can be believed,
    ///   ``StoreError/system(_:_:_:)`` where it cannot be opened or read.
    public init(at path: FilePath, options: ReaderOptions = ReaderOptions()) throws(StoreError) {
        core = try StoreReaderCore(host: POSIXHost(), path: path, options: options)
    }

    /// The state that the reader is at.
    public func snapshot() -> Snapshot {
        Snapshot(core: core.snapshot)
    }

    /// Moves to the newest commit, also where another file has taken the store's name. Costs one system call where
    /// nothing has changed.
    ///
    /// - Returns: whether there is a newer state.
    /// - Throws: as opening does; the reader then stays at the state that it has.
    @discardableResult
    public func refresh() throws(StoreError) -> Bool {
        try core.refresh()
    }
}
