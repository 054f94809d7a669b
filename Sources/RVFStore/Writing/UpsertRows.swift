/// The rows that a commit adds, numbered through all batches in which they came.
struct UpsertRows: Sendable {
    private struct Place: Sendable {
        var batch: Int
        var row: Int
    }

    private let batches: [RowBatch]
    /// Nil where the rows are those of the only batch.
    private var places: [Place]?

    init(_ batches: [RowBatch]) {
        self.batches = batches.filter { $0.count > 0 }
        if self.batches.count > 1 { places = Self.places(self.batches) }
    }

    private static func places(_ batches: [RowBatch]) -> [Place] {
        batches.indices.flatMap { batch in (0..<batches[batch].count).map { Place(batch: batch, row: $0) } }
    }

    var count: Int { places?.count ?? batches.first?.count ?? 0 }

    func id(_ index: Int) -> UInt64 {
        guard let place = places?[index] else { return batches[0].id(index) }
        return batches[place.batch].id(place.row)
    }

    /// Appends a row as it stands in a vector segment.
    func encode(_ index: Int, into bytes: inout [UInt8]) {
        guard let place = places?[index] else { return batches[0].encode(index, into: &bytes) }
        batches[place.batch].encode(place.row, into: &bytes)
    }

    mutating func remove(_ rows: Set<Int>) {
        let all = places ?? Self.places(batches)
        places = all.indices.filter { !rows.contains($0) }.map { all[$0] }
    }

    /// The rows' ids.
    var run: RowRun { RowRun(unsortedIDs: (0..<count).map(id)) }

    /// The first row whose id an earlier one has.
    func firstRepeatedID() -> (index: Int, problem: InvalidRow)? {
        if (1..<max(count, 1)).allSatisfy({ id($0 - 1) < id($0) }) { return nil }
        let order = (0..<count).sorted { id($0) != id($1) ? id($0) < id($1) : $0 < $1 }
        var first: (index: Int, problem: InvalidRow)?
        for position in 1..<max(count, 1) where id(order[position]) == id(order[position - 1]) {
            if order[position] < first?.index ?? .max {
                first = (order[position], .repeatedID(firstIndex: order[position - 1]))
            }
        }
        return first
    }
}
