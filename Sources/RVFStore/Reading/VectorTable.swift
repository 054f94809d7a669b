package import RVFHost

/// The vector segments of one manifest in directory order, with their rows numbered through: the later of two rows
/// with the same id has the higher number.
package struct VectorTable: Sendable {
    package private(set) var segments: [VectorSegment] = []
    /// The number of each segment's first row.
    private var firstRows: [UInt32] = []
    package private(set) var rowCount = 0

    /// Row numbers are held in 32 bits.
    package static let rowLimit = Int(UInt32.max)

    /// - Parameter known: the table of an earlier manifest of the same file, whose segments are taken over.
    package init<H: Host>(
        _ manifest: FoundManifest, in source: ByteSource<H>, known: VectorTable?
    ) throws(StoreError) {
        let damaged = Set(manifest.damaged)
        var known = KnownSegments(known?.segments ?? [])
        let entries = manifest.payload.directory.filter { $0.type == .vectors }
        let excessCount = Self.excessCount(of: entries, fileByteCount: source.byteCount)
        for (number, entry) in entries.enumerated() {
            let defect: VectorSegment.Defect? =
                number < excessCount ? .excess : damaged.contains(entry) ? .header : nil
            if defect == nil, let segment = known.find(entry) {
                try append(segment, in: source)
            } else if let segment = try VectorSegment(
                entry, in: source, dimension: manifest.payload.dimension, fileID: manifest.payload.identity?.fileID,
                defect: defect)
            {
                try append(segment, in: source)
            }
        }
    }

    /// How many of the first entries are beyond what a file can hold. Segments that are named again and again, or that
    /// lie in one another, could make a small file one of any number of rows. Four times the file's length is more than
    /// anybody names by mistake; the later segments are kept, since their rows count.
    private static func excessCount(of entries: [DirectoryEntry], fileByteCount: UInt64) -> Int {
        var (left, overflow) = fileByteCount.multipliedReportingOverflow(by: 4)
        if overflow { left = .max }
        for (number, entry) in entries.enumerated().reversed() {
            guard entry.payloadByteCount <= left else { return number + 1 }
            left -= entry.payloadByteCount
        }
        return 0
    }

    /// The table of a commit whose segments are known already.
    init<H: Host>(_ segments: [VectorSegment], in source: ByteSource<H>) throws(StoreError) {
        self.segments.reserveCapacity(segments.count)
        firstRows.reserveCapacity(segments.count)
        for segment in segments { try append(segment, in: source) }
    }

    /// Finds segments by their entry: as a rule they come in the order in which they came before.
    private struct KnownSegments {
        private let segments: [VectorSegment]
        private var next = 0
        private var byEntry: [DirectoryEntry: VectorSegment]?

        init(_ segments: [VectorSegment]) {
            self.segments = segments
        }

        mutating func find(_ entry: DirectoryEntry) -> VectorSegment? {
            guard !segments.isEmpty else { return nil }
            if next < segments.count, segments[next].entry == entry {
                defer { next += 1 }
                return segments[next]
            }
            // Nothing of what came before is left to be found by its order.
            if next == segments.count, byEntry == nil { return nil }
            let table =
                byEntry ?? Dictionary(segments.map { ($0.entry, $0) }, uniquingKeysWith: { first, _ in first })
            byEntry = table
            return table[entry]
        }
    }

    private mutating func append<H: Host>(_ segment: VectorSegment, in source: ByteSource<H>) throws(StoreError) {
        segments.append(segment)
        firstRows.append(UInt32(rowCount))
        rowCount += segment.layout?.rowCount ?? 0
        guard rowCount <= Self.rowLimit else {
            throw StoreError.limit(source.file.path, .rows(maximum: Self.rowLimit))
        }
    }

    package func firstRow(ofSegment index: Int) -> UInt32 { firstRows[index] }

    /// The segment that holds a row, and the row's position there.
    package func locate(_ row: UInt32) -> (segment: VectorSegment, row: Int) {
        // The last segment that begins at or before the row; of several, those before it have no rows.
        var low = 0
        var high = firstRows.count
        while low < high {
            let middle = (low + high) / 2
            if firstRows[middle] <= row { low = middle + 1 } else { high = middle }
        }
        return (segments[low - 1], Int(row - firstRows[low - 1]))
    }
}
