/// Rows on their way into a store, in either of the shapes in which callers have them.
package enum RowBatch: Sendable {
    case rows([Row])
    /// All components in one array, row after row.
    case flat(ids: [UInt64], components: [Float], dimension: Int)

    package var count: Int {
        switch self {
        case .rows(let rows): rows.count
        case .flat(let ids, _, _): ids.count
        }
    }

    package func id(_ index: Int) -> UInt64 {
        switch self {
        case .rows(let rows): rows[index].id
        case .flat(let ids, _, _): ids[index]
        }
    }

    package func vector(_ index: Int) -> ArraySlice<Float> {
        switch self {
        case .rows(let rows): rows[index].vector[...]
        case .flat(_, let components, let dimension):
            components[min(index * dimension, components.count)..<min((index + 1) * dimension, components.count)]
        }
    }

    /// Appends a row as it stands in a vector segment.
    package func encode(_ index: Int, into bytes: inout [UInt8]) {
        bytes.append(littleEndian: id(index))
        // The components' own bytes: every processor that this package runs on is little-endian.
        unsafe vector(index).withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
    }

    /// The first row that a store cannot take whatever its id, and why.
    package func firstInvalidRow(dimension: Int) -> (index: Int, problem: InvalidRow)? {
        for index in 0..<count {
            let vector = vector(index)
            if vector.count != dimension { return (index, .dimension(expected: dimension, found: vector.count)) }
            if let component = vector.firstIndex(where: { !$0.isFinite }) {
                return (index, .notFinite(component: component - vector.startIndex))
            }
        }
        if case .flat(let ids, let components, let dimension) = self, components.count > ids.count * dimension {
            let surplus = components.count - ids.count * dimension
            return (max(0, count - 1), .dimension(expected: dimension, found: dimension + surplus))
        }
        return nil
    }
}
