package import RVFHost
import SystemPackage

/// How a stream of rows is taken in.
public struct IngestOptions: Sendable {
    /// What each commit waits for. After ``CommitOptions/Durability-swift.enum/none`` one sync at the end makes all of
    /// them durable.
    public var durability = CommitOptions.Durability.ordered
    /// How many bytes of rows make a commit; at least one row does. So many are held in memory meanwhile. Commits of
    /// the default length are never merged later, so that every row is written once.
    public var commitByteCount = 36 << 20
    /// Called after each commit, and once more after a sync at the end, on the thread that does the work.
    public var progress: (@Sendable (IngestProgress) -> Void)?
    /// Ends the work before the next commit.
    public var cancellation: StoreCancellation?

    public init() {}
}

/// What a stream of rows has come to.
public struct IngestProgress: Equatable, Sendable {
    /// Rows that have been committed; in a stream that is begun again, those that need not come again.
    public internal(set) var rowCount = 0
    /// Bytes of these rows: their ids and components.
    public internal(set) var byteCount: UInt64 = 0
    public internal(set) var commitCount = 0
    /// The epoch of the newest of the commits, or of the store as it was.
    public internal(set) var epoch: UInt32
    /// Whether all of these rows are on the medium.
    public internal(set) var isDurable = true
    /// Whether the work was cancelled: of what the source gave since the last commit nothing was taken.
    public internal(set) var isCancelled = false
}

/// Takes in rows that come one batch after another, more of them than memory holds.
///
/// ```swift
/// var ingestion = Ingestion(into: writer)
/// for try await batch in source {
///     try ingestion.add(ids: batch.ids, components: batch.components, to: &writer)
/// }
/// let result = try ingestion.finish(in: &writer)
/// ```
///
/// The store comes to hold what it would hold if each batch had been appended by itself: a row replaces an earlier one
/// of its id, and only within a batch are two of the same id refused. But batches are gathered to commits of a bounded
/// length, each of which is made whole or not at all. A commit may end within a batch; ``progress`` says after which row
/// of the stream.
///
/// Rows that were added last are not committed before ``finish(in:)``. Beside them and the caller's batch, it takes a few
/// megabytes of memory, and the writer 8 to 12 bytes for each row of the store.
///
/// ``StoreWriter/ingest(options:from:)`` does the same for rows that are pulled.
public struct Ingestion: Sendable {
    /// What has been committed.
    public private(set) var progress: IngestProgress
    private let options: IngestOptions
    private let dimension: Int
    private let rowsPerCommit: Int
    /// Rows that wait for their commit.
    private var ids: [UInt64] = []
    private var components: [Float] = []
    /// The waiting ids; empty while they rise, since the last of them is then enough to know.
    private var seen: Set<UInt64> = []
    private var isRising = true

    /// A commit needs up to 60 bytes a row beside the row, which matters where rows are short.
    private static var mostRowsPerCommit: Int { 250_000 }

    /// - Parameter writer: the one that the rows will be given to.
    public init(into writer: borrowing StoreWriter, options: IngestOptions = IngestOptions()) {
        let snapshot = writer.snapshot()
        self.init(dimension: snapshot.dimension, epoch: snapshot.epoch, options: options)
    }

    package init(dimension: Int, epoch: UInt32, options: IngestOptions) {
        self.options = options
        self.dimension = dimension
        progress = IngestProgress(epoch: epoch)
        let fitting = options.commitByteCount / VectorPayload.strideBytes(dimension: dimension)
        rowsPerCommit = min(max(1, fitting), Self.mostRowsPerCommit)
    }

    /// Whether the work was cancelled; what is added then is not taken.
    private var isCancelled: Bool { options.cancellation?.isCancelled == true }

    /// Adds a batch of any length, and makes the commits for which there are enough rows.
    ///
    /// - Parameter components: The vectors one after another, in the order of the ids.
    /// - Throws: ``StoreError/invalidRow(_:index:id:_:)`` for a row that no store takes; its index counts from 0 through
    ///   all that was added. Nothing of its batch is taken; ``finish(in:)`` still commits what came before. Otherwise
    ///   what a commit throws: of the rows that it was to hold none is there then.
    public mutating func add(
        ids: [UInt64], components: [Float], to writer: inout StoreWriter
    ) throws(StoreError) {
        try add(ids: ids, components: components, to: &writer.core)
    }

    /// Commits the rows that are left, and makes all commits durable.
    ///
    /// - Throws: what ``StoreWriter/commit(_:options:)`` and ``StoreWriter/sync()`` throw.
    @discardableResult
    public mutating func finish(in writer: inout StoreWriter) throws(StoreError) -> IngestProgress {
        try finish(in: &writer.core)
    }

    package mutating func add<H: Host>(
        ids new: [UInt64], components newComponents: [Float], to core: inout StoreWriterCore<H>
    ) throws(StoreError) {
        try validate(new, newComponents, core.file.path)
        if repeatsWaiting(new) { try commit(to: &core) }
        var row = 0
        while row < new.count, !isCancelled {
            let some = row..<min(row + rowsPerCommit - ids.count, new.count)
            wait(new[some], newComponents[(some.lowerBound * dimension)..<(some.upperBound * dimension)])
            if ids.count == rowsPerCommit { try commit(to: &core) }
            row = some.upperBound
        }
    }

    package mutating func finish<H: Host>(in core: inout StoreWriterCore<H>) throws(StoreError) -> IngestProgress {
        try commit(to: &core)
        if !progress.isDurable {
            try core.sync()
            progress.isDurable = true
            progress.epoch = core.snapshot.manifest.payload.epoch
            options.progress?(progress)
        }
        return progress
    }

    private func validate(_ new: [UInt64], _ newComponents: [Float], _ path: FilePath) throws(StoreError) {
        let batch = RowBatch.flat(ids: new, components: newComponents, dimension: dimension)
        var found = batch.firstInvalidRow(dimension: dimension)
        let rows = UpsertRows([batch])
        if found == nil, rows.run.count < new.count { found = rows.firstRepeatedID() }
        guard let found else { return }
        let before = progress.rowCount + ids.count
        var problem = found.problem
        if case .repeatedID(let first) = problem { problem = .repeatedID(firstIndex: before + first) }
        let id = found.index < new.count ? new[found.index] : 0
        throw StoreError.invalidRow(path, index: before + found.index, id: id, problem)
    }

    /// Whether a row is to replace one that waits: a commit has each id once.
    private mutating func repeatsWaiting(_ new: [UInt64]) -> Bool {
        let newIsRising = (1..<max(new.count, 1)).allSatisfy { new[$0 - 1] < new[$0] }
        guard let first = new.first, let last = ids.last else {
            isRising = newIsRising
            return false
        }
        if isRising, newIsRising, last < first { return false }
        if isRising { seen = Set(ids) }
        isRising = false
        return new.contains { seen.contains($0) }
    }

    private mutating func wait(_ new: ArraySlice<UInt64>, _ newComponents: ArraySlice<Float>) {
        if ids.isEmpty {
            // Grown by and by they would take twice as much.
            ids.reserveCapacity(rowsPerCommit)
            components.reserveCapacity(rowsPerCommit * dimension)
        }
        ids += new
        components += newComponents
        if !isRising { seen.formUnion(new) }
    }

    private mutating func commit<H: Host>(to core: inout StoreWriterCore<H>) throws(StoreError) {
        defer { forgetWaiting() }
        progress.isCancelled = isCancelled
        guard !ids.isEmpty, !isCancelled else { return }
        var transaction = Transaction()
        transaction.upsert(ids: ids, components: components)
        // What could be wrong with a row was looked for when it was added.
        let result = try core.commit(transaction, options: CommitOptions(durability: options.durability))
        progress.rowCount += ids.count
        progress.byteCount += UInt64(ids.count * VectorPayload.strideBytes(dimension: dimension))
        progress.commitCount += 1
        progress.epoch = result.epoch
        progress.isDurable = options.durability != .none
        options.progress?(progress)
    }

    private mutating func forgetWaiting() {
        ids.removeAll(keepingCapacity: true)
        components.removeAll(keepingCapacity: true)
        seen.removeAll(keepingCapacity: true)
    }
}
