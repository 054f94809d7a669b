/// Rows as a source gives them.
public struct IngestBatch: Sendable {
    public var ids: [UInt64]
    /// The vectors one after another, in the order of the ids.
    public var components: [Float]

    public init(ids: [UInt64], components: [Float]) {
        self.ids = ids
        self.components = components
    }
}

extension StoreWriter {
    /// Takes in all rows that a source gives, more of them than memory holds, in commits of a bounded length. See
    /// ``Ingestion``, which takes rows that are pushed, and what an `AsyncSequence` gives.
    ///
    /// ```swift
    /// let result = try writer.ingest { reader.nextBatch() }
    /// ```
    ///
    /// - Parameter next: gives the next batch, of any length; nil at the end, and where it has failed: the rows before
    ///   are committed then. It is not called again after a cancellation.
    /// - Returns: what was committed, all of it durable. Where it was cancelled, that is less than the source has.
    /// - Throws: ``StoreError/invalidRow(_:index:id:_:)`` for a row that no store takes, its index counted from 0 through
    ///   the whole stream; and what a commit throws. The commits before stay, and are durable then if it was a row that
    ///   failed; ``IngestOptions/progress`` told of them.
    @discardableResult
    public mutating func ingest(
        options: IngestOptions = IngestOptions(), from next: () throws(StoreError) -> IngestBatch?
    ) throws(StoreError) -> IngestProgress {
        var ingestion = Ingestion(into: self, options: options)
        do throws(StoreError) {
            while options.cancellation?.isCancelled != true, let batch = try next() {
                try ingestion.add(ids: batch.ids, components: batch.components, to: &self)
            }
        } catch {
            if case .invalidRow = error { try sync() }
            throw error
        }
        return try ingestion.finish(in: &self)
    }
}
