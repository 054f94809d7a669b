/// Rows to add or replace and ids to delete, all of which become visible and durable at once, or not at all.
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
public struct Transaction: Sendable {
    enum Operation: Sendable {
        case upsert([Row])
        case upsertFlat(ids: [UInt64], components: [Float])
        case delete([UInt64])
    }

    private(set) var operations: [Operation] = []

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
