/// What the row index of one vector segment will say, gathered while the rows are written.
struct RowIndexDraft: Sendable {
    /// Of the store that the index is for.
    let fileID: [UInt8]
    private let stride: Int
    /// Nil where sums of squares are not kept.
    private let kernel: DistanceKernel?
    /// Whether the segment is to have an index, and not only its ids remembered.
    let isIndexed: Bool
    private var ids: [UInt64] = []
    private var squares: [Float] = []

    /// - Parameters:
    ///   - fileID: of the store.
    ///   - layout: the segment's.
    init(fileID: [UInt8], metric: Metric, layout: VectorPayload, limits: CommitLimits) {
        self.fileID = fileID
        stride = layout.strideBytes
        isIndexed = limits.isIndexed(rowCount: layout.rowCount, dimension: layout.dimension)
        let hasSquares = isIndexed && metric == .cosine
        // Only rows are squared; the query counts for its length.
        kernel = hasSquares ? DistanceKernel(query: [Float](repeating: 0, count: layout.dimension)) : nil
        ids.reserveCapacity(layout.rowCount)
        if hasSquares { squares.reserveCapacity(layout.rowCount) }
    }

    /// Takes note of whole rows as they stand in the segment, the next after those that came before.
    mutating func add(_ rows: RawSpan) {
        for start in Swift.stride(from: 0, to: rows.byteCount, by: stride) {
            ids.append(rows.integer(UInt64.self, at: start))
            guard let kernel else { continue }
            squares.append(kernel.squares(rows.extracting((start + VectorPayload.idByteCount)..<(start + stride))))
        }
    }

    /// The ids of all rows, and the payload of the index; nil where the segment is to have none.
    ///
    /// - Parameters:
    ///   - byteCount: the payload length of the segment.
    ///   - hash: the content hash of its header.
    func finish(describing byteCount: UInt64, _ hash: ContentHash) -> (run: RowRun, payload: [UInt8]?) {
        let run = RowRun(unsortedIDs: ids)
        // No segment of ours has an id twice; one that had would have a row that no index tells.
        guard isIndexed, hash.isSet, run.count == ids.count, let (ids, rows) = run.arrays else { return (run, nil) }
        let payload = RowIndexPayload.encoded(
            ids: ids, rows: rows, squares: squares, fileID: fileID, describing: byteCount, hash)
        return (run, payload)
    }
}
