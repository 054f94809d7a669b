import RVFHost
import SystemPackage

/// The metadata of a file that is written anew: of the ids whose rows go there, found out as the rows pass by.
struct MetadataSurvival: Sendable {
    private let state: MetadataState
    private let ids: [UInt64]
    /// By position in `ids`.
    private var survivors: RowSet

    /// - Parameter isKept: whether a record stays whose row does not pass by.
    init(_ state: MetadataState, isKept: (UInt64) -> Bool) {
        self.state = state
        ids = state.ids
        survivors = RowSet(rowCount: ids.count)
        for position in ids.indices where isKept(ids[position]) { survivors.insert(position) }
    }

    /// Rows that are copied.
    mutating func note(_ rows: RawSpan, strideBytes: Int) {
        guard !ids.isEmpty else { return }
        for offset in stride(from: 0, to: rows.byteCount, by: strideBytes) {
            if let position = ids.positionInRising(rows.integer(UInt64.self, at: offset)) { survivors.insert(position) }
        }
    }

    /// Whether there will be a segment; not before all rows have passed.
    var isEmpty: Bool { survivors.count == 0 && state.fileRecords.isEmpty }

    /// No payload is longer.
    var byteCountLimit: UInt64 { UInt64(state.chainByteCount + MetadataFormat.headerByteCount) }

    /// All that survives as one full snapshot.
    func payload(for path: FilePath) throws(StoreError) -> [UInt8] {
        let all = survivors.count == ids.count
        do throws(MetadataError) {
            return try (all ? state : state.keepingRecords { survivors.contains($0) }).committingSnapshot().payload
        } catch {
            throw StoreError.invalidMetadata(path, error)
        }
    }
}
