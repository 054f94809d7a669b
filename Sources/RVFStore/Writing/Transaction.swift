/// Rows to add or replace, ids to delete and metadata to change, all of which become visible and durable at once, or
/// not at all.
///
/// ```swift
/// var transaction = Transaction()
/// transaction.delete(ids: [3, 4])
/// transaction.upsert([Row(id: 17, vector: embedding)])
/// let result = try writer.commit(transaction)
/// ```
///
/// The operations count in the order in which they were added: an id that is deleted and then upserted is there
/// afterwards, one that is upserted and then deleted is not. An id that is upserted twice is taken for a mistake
/// and refused when the transaction is committed, whatever stands between.
///
/// Metadata belongs to an id, not to its row: a row that replaces another leaves it, unless it brings its own. What is
/// deleted loses it, and has none when it comes again. Ids that are given metadata have to be in the store once the
/// transaction is done.
public struct Transaction: Sendable {
    enum Operation: Sendable {
        case upsert([Row])
        case upsertFlat(ids: [UInt64], components: [Float])
        case delete([UInt64])
        case deleteWhere(MetadataFilter)
        case metadata(MetadataChanges)
    }

    enum CheckpointOperation: Sendable {
        case set(Checkpoint)
        case restore(Checkpoint)
        case remove(String)
    }

    var operations: [Operation] = []
    private(set) var checkpointOperations: [CheckpointOperation] = []

    /// A transaction that changes nothing; committing it makes no commit.
    public init() {}

    /// Adds rows, or replaces those of the same ids.
    public mutating func upsert(_ rows: [Row]) {
        operations.append(.upsert(rows))
    }

    /// Adds rows, or replaces those of the same ids.
    ///
    /// - Parameter components: The vectors one after another, in the order of the ids.
    public mutating func upsert(ids: [UInt64], components: [Float]) {
        operations.append(.upsertFlat(ids: ids, components: components))
    }

    /// Removes the rows of these ids. One that the store does not have is no error.
    public mutating func delete(ids: [UInt64]) {
        operations.append(.delete(ids))
    }

    /// Says how far a source of events has been taken in, with the rows of this transaction. Whoever opens the store
    /// later finds the checkpoint and the rows, or neither, and goes on from ``Snapshot/checkpoint(source:)``: so every
    /// event is taken in once. A transaction of a checkpoint alone is a commit too.
    ///
    /// A count never goes back, and the same count has the same offset; the same checkpoint again changes nothing. What
    /// is against that refuses the whole transaction when it is committed.
    ///
    /// - Parameters:
    ///   - source: The source's name, 1 to 255 bytes of UTF-8.
    ///   - count: How many of its events are in the store.
    ///   - offset: Where the source goes on, up to 4,096 bytes. All checkpoints of a store together take up to 128 KiB,
    ///     with 11 bytes for each.
    public mutating func setCheckpoint(source: String, count: UInt64, offset: [UInt8]) {
        checkpointOperations.append(.set(Checkpoint(source: source, count: count, offset: offset)))
    }

    /// Sets a checkpoint whatever the store has, for an operator who knows better: events behind it will come again.
    /// Also replaces checkpoints that are damaged; those of other sources are gone then.
    public mutating func restoreCheckpoint(source: String, count: UInt64, offset: [UInt8]) {
        checkpointOperations.append(.restore(Checkpoint(source: source, count: count, offset: offset)))
    }

    /// Forgets a source, for an operator: its events will come again from the first. One that the store does not know
    /// is no error.
    public mutating func removeCheckpoint(source: String) {
        checkpointOperations.append(.remove(source))
    }

    /// Removes the ids for which a filter is true in the store as it is before the transaction, whatever the
    /// transaction did to their metadata; ids that the transaction itself adds are not looked at.
    public mutating func delete(where filter: MetadataFilter) {
        operations.append(.deleteWhere(filter))
    }

    /// Gives a field of an id a value; its other fields stay.
    public mutating func setMetadata(_ field: String, to value: MetadataValue, for id: UInt64) {
        changeMetadata { $0.set(field, to: value, for: id) }
    }

    /// Gives an id exactly these fields.
    public mutating func setMetadata(_ fields: [String: MetadataValue], for id: UInt64) {
        changeMetadata { $0.replaceAll(for: id, with: fields) }
    }

    /// Takes a field from an id. Nothing happens where the id does not have it.
    public mutating func removeMetadata(_ field: String, for id: UInt64) {
        changeMetadata { $0.removeField(field, for: id) }
    }

    /// Gives a key of the file a value, or none.
    public mutating func setFileMetadata(_ value: MetadataValue?, for key: String) {
        changeMetadata {
            if let value { $0.setFileValue(value, for: key) } else { $0.removeFileValue(for: key) }
        }
    }

    /// Adds changes that were put together elsewhere.
    public mutating func changeMetadata(_ changes: MetadataChanges) {
        changeMetadata { $0.merge(changes) }
    }

    private mutating func changeMetadata(_ change: (inout MetadataChanges) -> Void) {
        var changes = MetadataChanges()
        if case .metadata(let last) = operations.last {
            changes = last
            // So that there is one owner, and nothing is copied.
            operations.removeLast()
        }
        change(&changes)
        operations.append(.metadata(changes))
    }
}

/// What a transaction comes to, whatever the store holds: each id once, either upserted or deleted.
struct ResolvedTransaction: Sendable {
    /// A row that no store can take.
    struct Failure: Error {
        /// Counted through all rows of the transaction.
        var index: Int
        var id: UInt64
        var problem: InvalidRow
    }

    private(set) var rows = UpsertRows([])
    /// The ids of `rows`.
    private(set) var run = RowRun()
    /// Rising and distinct, none of them in `rows`.
    private(set) var deletedIDs: [UInt64] = []

    /// Nothing at all.
    init() {}

    init(_ transaction: Transaction, dimension: Int) throws(Failure) {
        var batches: [RowBatch] = []
        var rowCount = 0
        // With every delete, how many rows were upserted before it.
        var deletes: [(ids: [UInt64], rowsBefore: Int)] = []
        for operation in transaction.operations {
            let batch: RowBatch
            switch operation {
            case .upsert(let rows): batch = .rows(rows)
            case .upsertFlat(let ids, let components):
                batch = .flat(ids: ids, components: components, dimension: dimension)
            case .delete(let ids):
                deletes.append((ids, rowCount))
                continue
            // Filters have been looked up by now; metadata is resolved apart.
            case .deleteWhere, .metadata: continue
            }
            if let invalid = batch.firstInvalidRow(dimension: dimension) {
                let id = batch.count > 0 ? batch.id(invalid.index) : 0
                throw Failure(index: rowCount + invalid.index, id: id, problem: invalid.problem)
            }
            batches.append(batch)
            rowCount += batch.count
        }
        rows = UpsertRows(batches)
        run = rows.run
        // A run has each id once.
        if run.count < rows.count, let repeated = rows.firstRepeatedID() {
            throw Failure(index: repeated.index, id: rows.id(repeated.index), problem: repeated.problem)
        }
        resolve(deletes)
    }

    private mutating func resolve(_ deletes: [(ids: [UInt64], rowsBefore: Int)]) {
        var cancelled: Set<Int> = []
        for (ids, rowsBefore) in deletes {
            for id in ids {
                let row = run.row(of: id).map(Int.init)
                // A row that comes later stays.
                if let row, row >= rowsBefore { continue }
                if let row { cancelled.insert(row) }
                deletedIDs.append(id)
            }
        }
        deletedIDs = deletedIDs.risingDistinct
        guard !cancelled.isEmpty else { return }
        rows.remove(cancelled)
        run = rows.run
    }
}

extension [UInt64] {
    /// The same values in rising order, each once.
    var risingDistinct: [UInt64] {
        let isRising = (1..<Swift.max(count, 1)).allSatisfy { self[$0 - 1] < self[$0] }
        if isRising { return self }
        var result: [UInt64] = []
        result.reserveCapacity(count)
        for value in sorted() where value != result.last { result.append(value) }
        return result
    }
}
