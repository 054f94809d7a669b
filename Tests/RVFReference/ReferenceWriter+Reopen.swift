/// What that runtime does to a store that it finds.
extension ReferenceWriter {
    /// Goes on from the manifest that its reader takes for the truth. It knows nothing of witnesses.
    ///
    /// - Parameter keepsMetric: as early versions do; later ones write 0.
    package init(reopening bytes: [UInt8], keepsMetric: Bool = false) throws(ReferenceStore.Failure) {
        let store = try ReferenceStore(bytes)
        self.init(dimension: store.dimension, metric: keepsMetric ? store.metric : 0, fileID: store.fileID)
        file = bytes
        epoch = store.epoch
        entries = store.entries.map { ($0.id, $0.offset, $0.length, $0.type) }
        deleted = Set(store.deleted)
        distinct = Self.distinctIDs(of: store, in: bytes)
        nextID = (store.entries.map(\.id).max() ?? 0) + 1
    }

    private static func distinctIDs(of store: ReferenceStore, in file: [UInt8]) -> Set<UInt64> {
        var ids: Set<UInt64> = []
        for entry in store.entries where entry.type == 1 {
            let count = Int(ReferenceStore.u32(file, entry.offset + 66))
            for row in 0..<count {
                ids.insert(ReferenceStore.u64(file, entry.offset + 70 + row * (8 + 4 * store.dimension)))
            }
        }
        return ids
    }

    /// Its compaction: live rows of the manifest in one segment with id 1, and whatever looks like a segment anywhere in
    /// the file, but for vectors and manifests, with the id that it has. All of that is named.
    ///
    /// - Parameter alignment: where the carried segments begin.
    package static func compacting(
        _ bytes: [UInt8], keepsMetric: Bool = false, alignment: Int = 1
    ) throws(ReferenceStore.Failure) -> ReferenceWriter {
        let store = try ReferenceStore(bytes)
        var writer = ReferenceWriter(
            dimension: store.dimension, metric: keepsMetric ? store.metric : 0, fileID: store.fileID)
        writer.file = []
        writer.entries = []
        writer.nextID = 1
        writer.distinct = Set(store.rows.keys)
        let live = store.rows.sorted { $0.key < $1.key }
        if !live.isEmpty { writer.segment(1, writer.vectorPayload(live.map { ($0.key, $0.value) })) }
        var highest: UInt64 = 1
        for found in segments(of: bytes) {
            highest = max(highest, found.id)
            guard found.type != 1, found.type != 5 else { continue }
            while writer.file.count % alignment != 0 { writer.file.append(0) }
            writer.entries.append((found.id, writer.file.count, found.length, found.type))
            writer.file += bytes[found.offset..<(found.offset + 64 + found.length)]
        }
        writer.nextID = highest + 1
        writer.epoch = store.epoch
        writer.commit()
        return writer
    }

    /// What looks like a segment, the file being searched byte by byte.
    package static func segments(of file: [UInt8]) -> [ReferenceStore.Entry] {
        var found: [ReferenceStore.Entry] = []
        var offset = 0
        while offset + 64 <= file.count {
            guard ReferenceStore.u32(file, offset) == 0x5256_4653,
                let length = Int(exactly: ReferenceStore.u64(file, offset + 16)), length <= file.count - offset - 64
            else {
                offset += 1
                continue
            }
            let id = ReferenceStore.u64(file, offset + 8)
            found.append(ReferenceStore.Entry(id: id, offset: offset, length: length, type: file[offset + 5]))
            offset += 64 + length
        }
        return found
    }

    /// Gives a segment the hash of what its payload is now, where it ends within the file.
    package static func setHash(at offset: Int, in file: inout [UInt8]) {
        guard let length = Int(exactly: ReferenceStore.u64(file, offset + 16)), length <= file.count - offset - 64
        else { return }
        let hash = Self.hash(of: file[(offset + 64)..<(offset + 64 + length)])
        file.replaceSubrange((offset + 0x28)..<(offset + 0x38), with: hash)
    }
}
