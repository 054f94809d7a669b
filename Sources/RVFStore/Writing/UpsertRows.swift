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

    /// Appends rows as they stand in a vector segment.
    func encode(_ range: Range<Int>, into bytes: inout [UInt8]) {
        guard let places else {
            batches.first?.encode(range, into: &bytes)
            return
        }
        for place in places[range] { batches[place.batch].encode(place.row..<(place.row + 1), into: &bytes) }
    }

    mutating func remove(_ rows: Set<Int>) {
        let all = places ?? Self.places(batches)
        places = all.indices.filter { !rows.contains($0) }.map { all[$0] }
    }

    /// The rows' ids.
    var run: RowRun {
        guard let places else { return RowRun(unsortedIDs: batches.first?.ids ?? []) }
        return RowRun(unsortedIDs: places.map { batches[$0.batch].id($0.row) })
    }

    /// The first row whose id an earlier one has. Costs a sort of all rows.
    func firstRepeatedID() -> (index: Int, problem: InvalidRow)? {
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
