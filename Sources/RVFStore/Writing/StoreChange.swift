/// What a commit makes of a store's vector segments, before anything has its place in the file.
struct StoreChange: Sendable {
    /// A run of neighbouring vector segments that gives way to new ones at the same place in the directory.
    struct Replacement: Sendable {
        /// Positions in the vector table. The run to which the new rows are added, if there is one, is the last, and
        /// may be empty.
        var segments: Range<Int>
        var new: [NewSegment]
    }

    /// In the order of the directory.
    var replacements: [Replacement] = []
    var state = StateChange()
    /// Rising.
    var deletedIDs: [UInt64]
    var totalVectorCount: UInt64
    /// Distinct ids in the vector segments, where all of those can be read.
    var idCount: Int?

    /// The new segments, in the order of the directory.
    var newSegments: [NewSegment] { replacements.flatMap(\.new) }

    /// How many vector segments give way.
    var replacedCount: Int { replacements.reduce(0) { $0 + $1.segments.count } }

    /// More bytes than all new segments take, with their row indexes, their headers and the gaps between them.
    func byteCountLimit(dimension: Int, limits: CommitLimits) -> UInt64 {
        let framing = UInt64(2 * SegmentHeader.byteCount)
        let rows = newSegments.reduce(0 as UInt64) {
            let index = limits.rowIndexByteCountLimit(rowCount: $1.rowCount, dimension: dimension)
            let vectors = VectorPayload(dimension: dimension, rowCount: $1.rowCount).byteCount
            return $0 + 2 * framing + UInt64(vectors + index)
        }
        return state.segments.reduce(rows) { $0 + framing + UInt64($1.byteCountLimit) }
    }

    /// The directory afterwards. Other entries than those of vector segments keep their order, and their place among
    /// the vector segments that stay.
    ///
    /// - Parameters:
    ///   - carried: the entries that go on being named, before anything is replaced.
    ///   - table: the vector segments among them.
    ///   - new: an entry for each of ``newSegments``.
    func directory(
        replacing carried: [DirectoryEntry], table: VectorTable, with new: [DirectoryEntry]
    ) -> [DirectoryEntry] {
        var result: [DirectoryEntry] = []
        result.reserveCapacity(carried.count + new.count)
        var ordinal = 0
        var next = 0
        var placed = 0
        func place() {
            result += new[placed..<(placed + replacements[next].new.count)]
            placed += replacements[next].new.count
        }
        for entry in carried {
            guard ordinal < table.segments.count, table.segments[ordinal].entry == entry else {
                result.append(entry)
                continue
            }
            let isReplaced = next < replacements.count && replacements[next].segments.contains(ordinal)
            if isReplaced, replacements[next].segments.lowerBound == ordinal { place() }
            if !isReplaced { result.append(entry) }
            ordinal += 1
            if isReplaced, replacements[next].segments.upperBound == ordinal { next += 1 }
        }
        if next < replacements.count { place() }
        return result
    }

    /// The vector segments afterwards.
    func segments(replacing table: VectorTable, with new: [VectorSegment]) -> [VectorSegment] {
        var result: [VectorSegment] = []
        result.reserveCapacity(table.segments.count + new.count)
        var ordinal = 0
        var placed = 0
        for replacement in replacements {
            result += table.segments[ordinal..<replacement.segments.lowerBound]
            result += new[placed..<(placed + replacement.new.count)]
            placed += replacement.new.count
            ordinal = replacement.segments.upperBound
        }
        return result + table.segments[ordinal...]
    }
}
