import RVFReference

/// What early versions of the reference runtime do to a store. They keep its metric.
enum OldPeer {
    static func compact(_ file: [UInt8]) throws -> [UInt8] {
        try ReferenceWriter.compacting(file, keepsMetric: true).file
    }

    /// A delete, with a journal and a manifest, as it appends them to a store of ours.
    static func delete(_ ids: [UInt64], in file: [UInt8]) throws -> [UInt8] {
        var peer = try ReferenceWriter(reopening: file, keepsMetric: true)
        peer.delete(ids)
        return peer.file
    }

    /// A batch of rows; it never takes an id off the deleted list, so that is done here as a newer one does it.
    static func ingest(_ rows: [(UInt64, [Float])], reviving: Bool = false, in file: [UInt8]) throws -> [UInt8] {
        var peer = try ReferenceWriter(reopening: file, keepsMetric: true)
        if reviving { peer.deleted.subtract(rows.map(\.0)) }
        peer.ingest(rows)
        return peer.file
    }
}
