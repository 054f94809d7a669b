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

    /// The ids, in their order.
    package var ids: [UInt64] {
        switch self {
        case .rows(let rows): rows.map(\.id)
        case .flat(let ids, _, _): ids
        }
    }

    /// Appends rows as they stand in a vector segment. All rows are valid.
    package func encode(_ range: Range<Int>, into bytes: inout [UInt8]) {
        // The components' own bytes: every processor that this package runs on is little-endian. They are copied while
        // the array lends them.
        switch self {
        case .rows(let rows):
            for row in rows[range] {
                bytes.append(littleEndian: row.id)
                unsafe row.vector.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
            }
        case .flat(let ids, let components, let dimension):
            let length = 4 * dimension
            unsafe components.withUnsafeBytes { all in
                for index in range {
                    bytes.append(littleEndian: ids[index])
                    unsafe bytes.append(
                        contentsOf: UnsafeRawBufferPointer(rebasing: all[(index * length)..<((index + 1) * length)]))
                }
            }
        }
    }

    /// The first row that a store cannot take whatever its id, and why.
    package func firstInvalidRow(dimension: Int) -> (index: Int, problem: InvalidRow)? {
        if case .flat(let ids, let components, let dimension) = self,
            components.count == ids.count * dimension, components[...].areFinite
        {
            return nil
        }
        for index in 0..<count {
            let vector = vector(index)
            if vector.count != dimension { return (index, .dimension(expected: dimension, found: vector.count)) }
            if !vector.areFinite, let component = vector.firstIndex(where: { !$0.isFinite }) {
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

extension ArraySlice<Float> {
    /// Whether no component is infinite or not a number. Without a branch for each, so that many are looked at at once.
    fileprivate var areFinite: Bool {
        // The exponent of such a component has all bits set: one more goes over into the sign's place.
        let exponent: UInt32 = 0x7F80_0000
        let one: UInt32 = 0x0080_0000
        // Nothing outlives the loop that reads the array's own memory.
        return unsafe withUnsafeBufferPointer { components in
            var seen: UInt32 = 0
            for index in 0..<components.count {
                unsafe seen |= (components[index].bitPattern & exponent) &+ one
            }
            return seen & 0x8000_0000 == 0
        }
    }
}
