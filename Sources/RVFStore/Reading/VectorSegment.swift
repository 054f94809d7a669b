package import RVFHost
import Synchronization

/// One vector segment that a manifest names, and what has been found out about it. Snapshots of one file share
/// these, so that no payload is checked twice. Safe to share between threads: all but the state is immutable, and two
/// threads that check the same payload at once come to the same state.
package final class VectorSegment: Sendable {
    private enum State: UInt8, AtomicRepresentable {
        case unchecked, intact, damaged
    }

    package let entry: DirectoryEntry
    /// Where the rows are; nil where the payload's beginning does not say so.
    package let layout: VectorPayload?
    let hash: ContentHash
    private let problem: StoreError?
    /// Whether the manifest names more than the file can hold, and this beyond it.
    let isExcess: Bool
    /// Whether there are no rows to be had, whatever the hash says. Every commit asks it of every segment.
    private let isUnreadable: Bool
    private let state: Atomic<State>
    let ids: SegmentIDs

    /// Why a segment is not looked at.
    package enum Defect: Sendable {
        /// Its header is not as named.
        case header
        /// More is named than the file can hold.
        case excess
    }

    /// Reads the segment's header and the six bytes behind it. Nil where the segment is of a version that is skipped.
    ///
    /// - Parameters:
    ///   - fileID: of the store, whose row indexes are gone by; nil: none are.
    ///   - defect: what is known to be wrong.
    package init?<H: Host>(
        _ entry: DirectoryEntry, in source: ByteSource<H>, dimension: UInt16, fileID: [UInt8]? = nil, defect: Defect? = nil
    ) throws(StoreError) {
        let header = try source.header(at: entry.offset)
        if let header, defect == nil, header.version > SegmentHeader.currentVersion { return nil }
        self.entry = entry
        hash = header?.hash ?? .unset
        let read = try Self.readLayout(entry, in: source, dimension: dimension)
        isExcess = defect == .excess
        layout = defect == .excess ? nil : try? read.get()
        let path = source.file.path
        if defect == .excess {
            problem = StoreError.damaged(
                path, offset: entry.offset,
                what: "the manifest names this vector segment besides others of more bytes than the file has")
        } else if defect == .header {
            problem = StoreError.damaged(
                path, offset: entry.offset,
                what: "the header of the vector segment that the manifest names here is damaged")
        } else if header?.compression != 0 {
            problem = StoreError.damaged(
                path, offset: entry.offset, what: "the vector segment is compressed, which this version cannot read")
        } else if case .failure(let error) = read {
            problem = StoreError.damaged(
                path, offset: entry.payloadOffset + UInt64(error.offset),
                what: "the vector segment is malformed: \(error.what)")
        } else {
            problem = nil
        }
        isUnreadable = problem != nil || layout == nil
        state = Atomic(.unchecked)
        ids = SegmentIDs(fileID: fileID)
    }

    /// A segment that was just written here.
    init(written entry: DirectoryEntry, layout: VectorPayload, hash: ContentHash, ids: SegmentIDs) {
        self.entry = entry
        self.layout = layout
        self.hash = hash
        problem = nil
        isExcess = false
        isUnreadable = false
        state = Atomic(.intact)
        self.ids = ids
    }

    private static func readLayout<H: Host>(
        _ entry: DirectoryEntry, in source: ByteSource<H>, dimension: UInt16
    ) throws(StoreError) -> Result<VectorPayload, FormatError> {
        let length = Int(clamping: entry.payloadByteCount)
        return try source.withBytes(
            at: entry.payloadOffset, count: min(length, VectorPayload.headerByteCount)
        ) { (head) throws(StoreError) in
            do throws(FormatError) {
                let layout = try VectorPayload(head: head, payloadByteCount: length)
                guard layout.dimension == Int(dimension) else {
                    throw FormatError(
                        offset: 0, what: "its rows have dimension \(layout.dimension), those of the store \(dimension)")
                }
                return .success(layout)
            } catch {
                return .failure(error)
            }
        }
    }

    /// The rows' layout, once the payload has been found to be what its hash says. The check runs once. A payload
    /// without a hash, or with one of an unknown kind, is taken as it is.
    package func checkedLayout<H: Host>(in source: ByteSource<H>) throws(StoreError) -> VectorPayload {
        if let problem { throw problem }
        guard let layout else { throw damage(in: source) }
        switch state.load(ordering: .relaxed) {
        case .intact: return layout
        case .damaged: throw damage(in: source)
        case .unchecked: break
        }
        if hash.expectedChecksum != nil {
            let checksum = try source.checksum(at: entry.payloadOffset, count: entry.payloadByteCount)
            if hash.verdict(onChecksum: checksum) == .differs {
                state.store(.damaged, ordering: .relaxed)
                throw damage(in: source)
            }
        }
        state.store(.intact, ordering: .relaxed)
        return layout
    }

    /// Whether something is wrong with the segment, as far as it has been looked at.
    var isFoundDamaged: Bool { isUnreadable || state.load(ordering: .relaxed) == .damaged }

    /// Whether the payload was checked, and is as its hash says.
    var isFoundIntact: Bool { !isUnreadable && state.load(ordering: .relaxed) == .intact }

    /// Reads the payload, also where it was checked before: whether all of it is rows, and as its hash says.
    func isPayloadRight<H: Host>(in source: ByteSource<H>) throws(StoreError) -> Bool {
        guard problem == nil, let layout, UInt64(layout.byteCount) == entry.payloadByteCount else { return false }
        guard hash.expectedChecksum != nil else { return true }
        let checksum = try source.checksum(at: entry.payloadOffset, count: entry.payloadByteCount)
        if hash.verdict(onChecksum: checksum) == .matches { return true }
        state.store(.damaged, ordering: .relaxed)
        return false
    }

    /// The row index that speaks of this segment, if one does.
    ///
    /// - Parameter fileID: of the store.
    func findIndex<H: Host>(ofFile fileID: [UInt8], in source: ByteSource<H>) throws(StoreError) -> StoredRowIndex? {
        guard problem == nil, let layout else { return nil }
        return try StoredRowIndex(
            describing: entry, hash: hash, rowCount: layout.rowCount, fileID: fileID, in: source)
    }

    private func damage<H: Host>(in source: ByteSource<H>) -> StoreError {
        .damaged(
            source.file.path, offset: entry.offset,
            what: "the vector segment here does not have the hash that its header gives; its rows are not available")
    }

    /// Lends the rows in pieces, each a whole number of rows, from the first to the last. They are not checked here.
    ///
    /// - Parameter range: the rows to lend; nil for all.
    package func forEachPiece<H: Host>(
        in source: ByteSource<H>, rows range: Range<Int>? = nil,
        _ body: (_ rows: RawSpan, _ firstRow: Int, _ rowCount: Int) throws(StoreError) -> Void
    ) throws(StoreError) {
        guard let layout else { return }
        let range = (range ?? 0..<layout.rowCount).clamped(to: 0..<layout.rowCount)
        let stride = layout.strideBytes
        // Mapped rows need no window, but pages that were read can be let go piece by piece.
        let rowsAtOnce = max(1, ByteSource<H>.windowByteCount / stride)
        var row = range.lowerBound
        while row < range.upperBound {
            let count = min(rowsAtOnce, range.upperBound - row)
            let offset = entry.payloadOffset + UInt64(layout.offset(ofRow: row))
            try source.withBytes(at: offset, count: count * stride) { (rows) throws(StoreError) in
                try body(rows, row, count)
            }
            row += count
        }
    }
}
