import RVFHost
import RVFLock
public import SystemPackage

/// Writes a store. It holds the store's writer lock: there is one writer at a time among all processes, while any
/// number of readers go on.
///
/// ```swift
/// var writer = try StoreWriter.create(at: "/data/documents.rvf", dimension: 384)
/// try writer.append([Row(id: 17, vector: embedding)])
/// try writer.close()
/// ```
///
/// Each call of `commit`, `append` or `delete` is one commit: when it returns, its changes are durable (unless its
/// options say otherwise) and readers that refresh see them all; when it throws, they see none of them, but see
/// ``isInDoubt``. A commit costs two syncs whatever its size, so what comes together is best committed together.
///
/// Small segments are merged by the way, so that the number of commits does not matter to the file's readers.
///
/// A value of this type cannot be copied and is used from one thread at a time. Dropping it gives the lock back,
/// silently; ``close()`` says what went wrong.
public struct StoreWriter: ~Copyable, Sendable {
    private let lock: WriterLock
    /// For the parts of this type in other files.
    var core: StoreWriterCore<POSIXHost>
    /// Where creating this store moved a damaged file that was in the way (``WriterOptions/replacesDamaged``); nil
    /// where there was none.
    public let displacedFile: FilePath?

    private init(
        lock: consuming WriterLock, core: consuming StoreWriterCore<POSIXHost>, displacedFile: FilePath? = nil
    ) {
        self.lock = lock
        self.core = core
        self.displacedFile = displacedFile
    }

    /// Makes an empty store. It appears under its name complete and durable; a create that is interrupted leaves
    /// nothing behind.
    ///
    /// - Parameters:
    ///   - dimension: The number of components of every row, 1 to 65,535.
    ///   - metric: How searches measure distance.
    /// - Throws: ``StoreError/exists(_:_:)`` where there is a file of that name, whatever it is (but see
    ///   ``WriterOptions/replacesDamaged``); it stays untouched. ``StoreError/lock(_:)`` where somebody else is about to
    ///   write there. ``StoreError/notCreated(_:movedTo:_:)`` where it failed after a damaged file had been moved aside.
    public static func create(
        at path: FilePath, dimension: Int, metric: Metric = .squaredL2, options: WriterOptions = WriterOptions()
    ) throws(StoreError) -> StoreWriter {
        let creation = try StoreCreation(
            host: POSIXHost(), path: path, dimension: dimension, metric: metric, options: options)
        let lock = try acquire(path, options)
        let displaced = try creation.run(lock.held)
        let core = try StoreWriterCore.open(
            creation.location, under: lock.held, options: options, isNameDurable: true)
        return StoreWriter(lock: lock, core: core, displacedFile: displaced)
    }

    /// Opens a store at its newest commit and takes its writer lock.
    ///
    /// What an interrupted commit left at the end of the file stays there, and does not count. Where readers of other
    /// implementations could not find the newest manifest any more, it is written again.
    ///
    /// - Throws: ``StoreError/lock(_:)`` where somebody else writes, ``StoreError/notAStore(_:_:)`` where the file holds
    ///   no store.
    public static func open(
        at path: FilePath, options: WriterOptions = WriterOptions()
    ) throws(StoreError) -> StoreWriter {
        let location = try StoreLocation(host: POSIXHost(), path: path)
        // A lock is taken for something that exists only: taking one leaves traces for a moment.
        _ = try location.status()
        let lock = try acquire(path, options)
        let core = try StoreWriterCore.open(location, under: lock.held, options: options)
        return StoreWriter(lock: lock, core: core)
    }

    private static func acquire(_ path: FilePath, _ options: WriterOptions) throws(StoreError) -> WriterLock {
        do throws(LockError) {
            return try WriterLock.acquire(protecting: path, options: options.lock)
        } catch {
            throw StoreError.lock(error)
        }
    }

    /// Makes all that a transaction holds visible and durable at once. A row whose id the store has replaces the row
    /// there, and one whose id was deleted is there again. Ids to be deleted that the store does not have are counted
    /// and passed over. A transaction that changes nothing makes no commit; the store is synced if it has not been.
    ///
    /// In a store with metadata the first commit reads all of it; the writer then keeps it in memory.
    ///
    /// - Throws: ``StoreError/invalidRow(_:index:id:_:)`` for a row of another dimension, with a component that is no
    ///   finite number, or with the id of an earlier row of the transaction; ``StoreError/checkpoint(_:source:_:)`` for
    ///   a checkpoint that is against the rules of ``Transaction/setCheckpoint(source:count:offset:)``;
    ///   ``StoreError/invalidMetadata(_:_:)`` and ``StoreError/metadataWithoutRow(_:id:)``;
    ///   ``StoreError/damaged(_:offset:what:)`` where checkpoints or metadata are to be changed that cannot be read;
    ///   ``StoreError/lostLock(_:)`` and
    ///   ``StoreError/foreignAppend(_:what:)`` where this writer is not the only one any more;
    ///   ``StoreError/limit(_:_:)`` for what the format cannot hold. Nothing is written in these cases.
    @discardableResult
    public mutating func commit(
        _ transaction: Transaction, options: CommitOptions = CommitOptions()
    ) throws(StoreError) -> CommitResult {
        try core.commit(transaction, options: options)
    }

    /// Adds rows in one commit, as ``commit(_:options:)`` does. No rows are no commit.
    @discardableResult
    public mutating func append(
        _ rows: [Row], options: CommitOptions = CommitOptions()
    ) throws(StoreError) -> CommitResult {
        var transaction = Transaction()
        transaction.upsert(rows)
        return try core.commit(transaction, options: options)
    }

    /// Adds rows in one commit, as ``commit(_:options:)`` does.
    ///
    /// - Parameter components: The vectors one after another, in the order of the ids.
    @discardableResult
    public mutating func append(
        ids: [UInt64], components: [Float], options: CommitOptions = CommitOptions()
    ) throws(StoreError) -> CommitResult {
        var transaction = Transaction()
        transaction.upsert(ids: ids, components: components)
        return try core.commit(transaction, options: options)
    }

    /// Deletes rows in one commit, as ``commit(_:options:)`` does.
    @discardableResult
    public mutating func delete(
        ids: [UInt64], options: CommitOptions = CommitOptions()
    ) throws(StoreError) -> CommitResult {
        var transaction = Transaction()
        transaction.delete(ids: ids)
        return try core.commit(transaction, options: options)
    }

    /// Makes durable what the store holds: commits that were made with ``CommitOptions/Durability-swift.enum/none``, and
    /// what was found at opening, whose writer may have been killed before it was. Costs nothing once that is so.
    ///
    /// - Throws: ``StoreError/system(_:_:_:)`` where the system refuses. None of those commits counts any more then:
    ///   what a failed sync left out, a later one does not tell. The writer is back at the last durable commit.
    public mutating func sync() throws(StoreError) {
        try core.sync()
    }

    /// The state after the last commit that succeeded, for reading. It stays valid after later ones.
    public func snapshot() -> Snapshot {
        Snapshot(core: core.snapshot)
    }

    /// Whether a write or a sync failed in the last commit. Whether a part of it reached the medium, nobody knows then;
    /// it does not count, and the next commit supersedes it. Until that has succeeded, readers may see it.
    public var isInDoubt: Bool { core.isInDoubt }

    /// The path that the writer was given.
    public var path: FilePath { lock.path }

    /// Gives the lock back. It syncs nothing: see ``sync()``.
    ///
    /// - Throws: ``StoreError/lostLock(_:)`` if the lock had been lost, ``StoreError/lock(_:)`` if its file could not be
    ///   removed. The store is closed all the same.
    public consuming func close() throws(StoreError) {
        let lock = lock
        do throws(LockError) {
            try lock.release()
        } catch {
            switch error {
            case .lost, .handedOver: throw StoreError.lostLock(error)
            default: throw StoreError.lock(error)
            }
        }
    }
}
