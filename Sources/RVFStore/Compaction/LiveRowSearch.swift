import RVFHost
import SystemPackage

/// Finds the newest row of every id in bounded memory, however many rows there are.
///
/// Ids that rise need no comparing. Others are compared in memory; where there are too many of them they go to a file
/// (eight bytes a row) and are compared in groups that chance makes alike in size.
struct LiveRowSearch<H: Host> {
    let source: ByteSource<H>
    let table: VectorTable
    /// How many rows are compared at once, at 16 bytes each.
    let rowsInMemory: Int
    /// A file to use for more rows than that, from its beginning. Nil: they are not compared.
    let spool: BorrowedFile<H>?
    /// Whether an id's row was deleted. Rows are numbered in the order of the table.
    let isDeleted: (_ id: UInt64, _ row: Int) -> Bool
    /// Whether a row can be kept at all, by its components. One that cannot does not supersede an older one.
    let isAcceptable: ((_ id: UInt64, _ components: RawSpan, _ row: Int) -> Bool)?

    struct Outcome {
        var rows: LiveRows
        /// False where there were too many rows to compare.
        var isComplete: Bool
    }

    private struct Pair {
        var id: UInt64
        var row: UInt32
    }

    private static var chunkRowCount: Int { 1 << 17 }

    func run(_ pace: inout WorkPace<H>) throws(StoreError) -> Outcome {
        var rows = LiveRows(rowCount: table.rowCount)
        let fits = table.rowCount <= rowsInMemory
        var pairs: [Pair] = []
        if fits { pairs.reserveCapacity(table.rowCount) }
        var chunk: [UInt64] = []
        var written: UInt64 = 0
        var last: UInt64?
        var isRising = true
        for (number, segment) in table.segments.enumerated() {
            var row = Int(table.firstRow(ofSegment: number))
            try segment.forEachPiece(in: source) { (bytes, _, count) throws(StoreError) in
                let stride = bytes.byteCount / count
                for position in 0..<count {
                    let id = bytes.integer(UInt64.self, at: position * stride)
                    if let last, id <= last { isRising = false }
                    last = id
                    if !keeps(id, row, bytes, position * stride, stride) { rows.drop(row) }
                    if fits { pairs.append(Pair(id: id, row: UInt32(row))) } else { chunk.append(id) }
                    row += 1
                }
                if chunk.count >= Self.chunkRowCount { try write(&chunk, at: &written) }
                try pace.advance(bytes.byteCount)
            }
        }
        if isRising { return Outcome(rows: rows, isComplete: true) }
        if fits {
            // Rows that are dead already neither supersede others nor need superseding.
            pairs.removeAll { !rows.isLive(Int($0.row)) }
            Self.dropSuperseded(&pairs, in: &rows)
            return Outcome(rows: rows, isComplete: true)
        }
        guard spool != nil else { return Outcome(rows: rows, isComplete: false) }
        try write(&chunk, at: &written)
        try compareInGroups(&rows)
        return Outcome(rows: rows, isComplete: true)
    }

    private func keeps(_ id: UInt64, _ row: Int, _ bytes: RawSpan, _ offset: Int, _ stride: Int) -> Bool {
        if isDeleted(id, row) { return false }
        guard let isAcceptable else { return true }
        return isAcceptable(id, bytes.extracting((offset + VectorPayload.idByteCount)..<(offset + stride)), row)
    }

    private func write(_ chunk: inout [UInt64], at offset: inout UInt64) throws(StoreError) {
        defer { chunk.removeAll(keepingCapacity: true) }
        guard let spool else { return }
        // An integer's own bytes; every processor that this package runs on is little-endian.
        let bytes = unsafe chunk.withUnsafeBytes { unsafe Array($0) }
        try spool.write(bytes, at: offset)
        offset += UInt64(bytes.count)
    }

    /// Every row's id once more for each group. Ids that are chosen to fall into one group cannot be: the grouping
    /// depends on a random number.
    private func compareInGroups(_ rows: inout LiveRows) throws(StoreError) {
        guard let spool else { return }
        let groupCount = UInt64(max(2, (2 * table.rowCount + rowsInMemory - 1) / rowsInMemory))
        let seed = spool.host.randomFileID().bytes.integer(UInt64.self, at: 0)
        var pairs: [Pair] = []
        pairs.reserveCapacity(rowsInMemory)
        for group in 0..<groupCount {
            pairs.removeAll(keepingCapacity: true)
            var row = 0
            while row < table.rowCount {
                let count = min(Self.chunkRowCount, table.rowCount - row)
                let bytes = try read(8 * count, at: UInt64(8 * row), from: spool)
                for position in 0..<count {
                    let id = bytes.bytes.integer(UInt64.self, at: 8 * position)
                    guard Self.group(of: id, seed) % groupCount == group, rows.isLive(row + position) else { continue }
                    pairs.append(Pair(id: id, row: UInt32(row + position)))
                }
                // One id that came very often leaves one pair behind.
                if pairs.count > rowsInMemory - Self.chunkRowCount { Self.dropSuperseded(&pairs, in: &rows) }
                row += count
            }
            Self.dropSuperseded(&pairs, in: &rows)
        }
    }

    private static func group(of id: UInt64, _ seed: UInt64) -> UInt64 {
        // The finisher of SplitMix64.
        var z = id ^ seed
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    private func read(_ count: Int, at offset: UInt64, from spool: BorrowedFile<H>) throws(StoreError) -> [UInt8] {
        let file = OpenFile(host: spool.host, descriptor: spool.descriptor, path: spool.path, isOwner: false)
        return try ByteSource(file: file, byteCount: offset + UInt64(count), mode: .positional).read(
            at: offset, count: count)
    }

    private static func dropSuperseded(_ pairs: inout [Pair], in rows: inout LiveRows) {
        pairs.sort { $0.id != $1.id ? $0.id < $1.id : $0.row < $1.row }
        var kept = 0
        for position in pairs.indices {
            if position + 1 < pairs.count, pairs[position + 1].id == pairs[position].id {
                rows.drop(Int(pairs[position].row))
            } else {
                pairs[kept] = pairs[position]
                kept += 1
            }
        }
        pairs.removeSubrange(kept...)
    }
}
