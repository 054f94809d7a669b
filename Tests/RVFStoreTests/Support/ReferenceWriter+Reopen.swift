/// What that runtime does to a store that it finds.
extension ReferenceWriter {
    /// Goes on from the manifest that its reader takes for the truth. It knows nothing of the metric, nor of witnesses.
    init(reopening bytes: [UInt8]) throws {
        let store = try ReferenceStore(bytes)
        self.init(dimension: store.dimension, metric: 0, fileID: store.fileID)
        file = bytes
        epoch = store.epoch
        entries = store.entries.map { ($0.id, $0.offset, $0.length, $0.type) }
        deleted = Set(store.deleted)
        distinct = try Self.distinctIDs(of: store, in: bytes)
        nextID = (store.entries.map(\.id).max() ?? 0) + 1
    }

    private static func distinctIDs(of store: ReferenceStore, in file: [UInt8]) throws -> Set<UInt64> {
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
    static func compacting(_ bytes: [UInt8]) throws -> ReferenceWriter {
        let store = try ReferenceStore(bytes)
        var writer = ReferenceWriter(dimension: store.dimension, metric: 0, fileID: store.fileID)
        writer.file = []
        writer.entries = []
        writer.nextID = 1
        writer.distinct = Set(store.rows.keys)
        let live = store.rows.sorted { $0.key < $1.key }
        if !live.isEmpty { writer.segment(1, writer.vectorPayload(live.map { ($0.key, $0.value) })) }
        var highest: UInt64 = 1
        var offset = 0
        while offset + 64 <= bytes.count {
            guard ReferenceStore.u32(bytes, offset) == 0x5256_4653,
                let length = Int(exactly: ReferenceStore.u64(bytes, offset + 16)), length <= bytes.count - offset - 64
            else {
                offset += 1
                continue
            }
            let type = bytes[offset + 5]
            let id = ReferenceStore.u64(bytes, offset + 8)
            highest = max(highest, id)
            if type != 1, type != 5 {
                writer.entries.append((id, writer.file.count, length, type))
                writer.file += bytes[offset..<(offset + 64 + length)]
            }
            offset += 64 + length
        }
        writer.nextID = highest + 1
        writer.epoch = store.epoch
        writer.commit()
        return writer
    }
}
