/// What early versions of the reference runtime do to a store.
enum OldPeer {
    /// Its compaction: the live rows in one segment, and behind them every other segment that is found by looking at
    /// each byte of the file, named or not, all of which the new manifest names.
    static func compact(_ file: [UInt8]) throws -> ReferenceWriter {
        let store = try ReferenceStore(file)
        var peer = ReferenceWriter(dimension: store.dimension, metric: store.metric, fileID: store.fileID)
        peer.file = []
        peer.entries = []
        peer.epoch = store.epoch
        let rows = store.rows.sorted { $0.key < $1.key }
        peer.distinct = Set(rows.map(\.key))
        peer.segment(1, peer.vectorPayload(rows.map { ($0.key, $0.value) }))
        for found in segments(of: file) where found.type != 1 && found.type != 5 {
            peer.segment(found.type, Array(file[(found.offset + 64)..<(found.offset + 64 + found.length)]))
        }
        peer.commit()
        return peer
    }

    static func segments(of file: [UInt8]) -> [(offset: Int, type: UInt8, length: Int)] {
        var found: [(offset: Int, type: UInt8, length: Int)] = []
        var offset = 0
        while offset + 64 <= file.count {
            if ReferenceStore.u32(file, offset) == 0x5256_4653, file[offset + 4] == 1,
                let length = Int(exactly: ReferenceStore.u64(file, offset + 16)), length <= file.count - offset - 64
            {
                found.append((offset, file[offset + 5], length))
                offset += 64 + length
            } else {
                offset += 1
            }
        }
        return found
    }

    /// A delete, with a journal and a manifest, as it appends them to a store of ours.
    static func delete(_ ids: [UInt64], in file: [UInt8]) throws -> [UInt8] {
        var peer = try resumed(file)
        peer.delete(ids)
        return peer.file
    }

    /// A batch of rows; it never takes an id off the deleted list, so that is done here as a newer one does it.
    static func ingest(_ rows: [(UInt64, [Float])], reviving: Bool = false, in file: [UInt8]) throws -> [UInt8] {
        var peer = try resumed(file)
        if reviving { peer.deleted.subtract(rows.map(\.0)) }
        peer.ingest(rows)
        return peer.file
    }

    private static func resumed(_ file: [UInt8]) throws -> ReferenceWriter {
        let store = try ReferenceStore(file)
        var peer = ReferenceWriter(dimension: store.dimension, metric: store.metric, fileID: store.fileID)
        peer.file = file
        peer.epoch = store.epoch
        peer.entries = store.entries.map { ($0.id, $0.offset, $0.length, $0.type) }
        peer.deleted = Set(store.deleted)
        peer.distinct = Set(store.rows.keys).union(store.deleted)
        peer.nextID = store.segmentID + 1
        return peer
    }
}
