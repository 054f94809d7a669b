import RVFHost

/// Finds the rows of single ids: it knows the lowest and the highest id of each vector segment, and asks only those
/// segments that may have an id. Immutable, but for what the segments remember.
struct RowFinder: Sendable {
    /// Without rows: a lowest id above the highest.
    private struct Bounds {
        var first: UInt64 = 1
        var last: UInt64 = 0
    }

    private let segments: [VectorSegment]
    private let bounds: [Bounds]

    /// Reads a header and the head of an index for each segment, and all ids of segments that have none.
    ///
    /// - Parameter segments: the later a segment, the newer its rows.
    init<H: Host>(_ segments: [VectorSegment], in source: ByteSource<H>) throws(StoreError) {
        self.segments = segments
        var bounds: [Bounds] = []
        bounds.reserveCapacity(segments.count)
        for segment in segments {
            let range = try segment.idBounds(in: source)
            bounds.append(range.map { Bounds(first: $0.lowerBound, last: $0.upperBound) } ?? Bounds())
        }
        self.bounds = bounds
    }

    /// The segment with the newest row of an id, and the row there.
    func find<H: Host>(
        _ id: UInt64, in source: ByteSource<H>
    ) throws(StoreError) -> (segment: VectorSegment, row: Int)? {
        var ordinal = bounds.count
        while ordinal > 0 {
            ordinal -= 1
            guard bounds[ordinal].first <= id, id <= bounds[ordinal].last else { continue }
            if let row = try segments[ordinal].row(of: id, in: source) { return (segments[ordinal], row) }
        }
        return nil
    }

    /// How many ids of a run have no row.
    func missingCount<H: Host>(of run: RowRun, in source: ByteSource<H>) throws(StoreError) -> Int {
        guard run.count > 0 else { return 0 }
        let first = run.id(at: 0)
        let last = run.id(at: run.count - 1)
        let candidates = bounds.indices.filter { bounds[$0].first <= last && first <= bounds[$0].last }
        guard !candidates.isEmpty else { return run.count }
        var missing = 0
        for position in 0..<run.count where try find(run.id(at: position), in: source) == nil { missing += 1 }
        return missing
    }
}
