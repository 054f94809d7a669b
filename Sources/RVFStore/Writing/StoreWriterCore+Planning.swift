import RVFHost

extension StoreWriterCore {
    /// A commit that has been thought through, before a byte of it is written.
    struct Plan {
        var change: StoreChange
        var layout: CommitLayout
        var payload: ManifestPayload
        var encodedPayload: [UInt8]
        var header: SegmentHeader
        var endOffset: UInt64
    }

    /// How many layouts are tried; each moves what could be mistaken for a manifest.
    private static var layoutAttempts: Int { 16 }

    /// - Parameters:
    ///   - start: where the file ends.
    ///   - unsyncedFrom: see ``PlacementMark``.
    func plan(
        _ change: StoreChange, from start: UInt64, unsyncedFrom: UInt64?
    ) throws(StoreError) -> Plan {
        let before = snapshot.manifest.payload
        let (epoch, overflow) = max(before.epoch, doubt?.epoch ?? 0).addingReportingOverflow(1)
        if overflow { throw StoreError.limit(file.path, .epochs) }
        var payload = before
        payload.epoch = epoch
        payload.totalVectorCount = change.totalVectorCount
        payload.deletedIDs = change.deletedIDs
        payload.identity = before.identity ?? StoreIdentity(fileID: file.host.randomFileID())
        let carried = carriedEntries
        let table = try snapshot.vectorTable()
        let rowCounts = change.newSegments.map(\.rowCount)

        for shift in 0..<Self.layoutAttempts {
            let layout = CommitLayout(
                rowCounts: rowCounts, dimension: Int(before.dimension), fileByteCount: start,
                firstID: snapshot.manifest.nextSegmentID(after: doubt?.segmentID ?? 0),
                shift: shift)
            guard let layout else { throw StoreError.limit(file.path, .fileSize) }
            payload.directory = change.directory(
                replacing: carried, table: table, with: layout.pieces.map(\.entry))
            payload.mark = PlacementMark(manifestOffset: layout.manifestOffset, unsyncedFrom: unsyncedFrom)
            let byteCount = SegmentHeader.byteCount + payload.encodedByteCount
            guard byteCount <= CommitLimits.manifestByteCount else {
                throw StoreError.limit(
                    file.path, .manifest(byteCount: byteCount, maximumByteCount: CommitLimits.manifestByteCount))
            }
            if let plan = Self.checked(change, layout, payload) { return plan }
        }
        throw StoreError.limit(file.path, .layout)
    }

    /// Superseded manifests and witnesses stay in the file, unnamed; everything else goes on being named.
    private var carriedEntries: [DirectoryEntry] {
        snapshot.manifest.payload.directory.filter { $0.type != .manifest && $0.type != .witness }
    }

    /// Nil where other readers would not find this manifest, or something else in its place.
    private static func checked(
        _ change: StoreChange, _ layout: CommitLayout, _ payload: ManifestPayload
    ) -> Plan? {
        let encoded = payload.encoded
        let hash = ContentHash(checksum: CRC32.of(encoded.bytes))
        let header = SegmentHeader(
            type: .manifest, id: layout.manifestID, payloadByteCount: UInt64(encoded.count), hash: hash)
        // A checksum of zero reads as "no hash", and a manifest without one is not believed.
        guard hash.isSet, PublishCheck.findsOnly(manifest: (header.encoded + encoded).bytes) else { return nil }
        let end = layout.manifestOffset + UInt64(SegmentHeader.byteCount + encoded.count)
        return Plan(
            change: change, layout: layout, payload: payload, encodedPayload: encoded, header: header, endOffset: end)
    }

    /// What becomes of the vector segments.
    func change(
        _ transaction: ResolvedTransaction, deleting deleted: [UInt64], merging: Bool
    ) throws(StoreError) -> StoreChange {
        let before = snapshot.manifest.payload
        guard transaction.rows.count > 0 || !deleted.isEmpty || merging else {
            return StoreChange(
                deletedIDs: snapshot.deletedIDs, totalVectorCount: before.totalVectorCount, idCount: idCount)
        }
        let index = try snapshot.rowIndex()
        let isWhole = try snapshot.damages().isEmpty
        let added = transaction.run.ids.count { index.row(of: $0) == nil }
        let known = isWhole ? idCount ?? index.merged().count : nil
        let (total, overflow) = before.totalVectorCount.addingReportingOverflow(UInt64(added))
        // Room for deleted ids in a manifest that names as much besides, and has an identity and a mark.
        var empty = before
        empty.directory = carriedEntries.filter { $0.type != .vectors }
        empty.deletedIDs = []
        empty.identity = before.identity ?? StoreIdentity(fileID: [UInt8](repeating: 0, count: 16))
        empty.mark = PlacementMark(manifestOffset: 0, unsyncedFrom: 0)
        let free = CommitLimits.manifestByteCount - SegmentHeader.byteCount - empty.encodedByteCount
        var planner = ChangePlanner(
            snapshot: snapshot, table: try snapshot.vectorTable(), rows: transaction.rows, newRun: transaction.run,
            limits: options.limits,
            deletedRoom: { max(0, (free - $0 * DirectoryEntry.byteCount) / 8) },
            deletedIDs: deletedIDs(adding: deleted, without: transaction.run, over: isWhole ? index : nil),
            // Where some rows cannot be read, the manifest's own count is gone on from.
            totalVectorCount: known.map { UInt64($0 + added) } ?? (overflow ? before.totalVectorCount : total),
            idCount: known.map { $0 + added })
        return try planner.change(merging: merging)
    }

    /// The deleted list, if nothing is rewritten. A row that comes again is there again.
    ///
    /// - Parameter index: over all rows, where all can be read. Other writers list ids of which there is no row.
    private func deletedIDs(adding deleted: [UInt64], without revived: RowRun, over index: RowIndex?) -> [UInt64] {
        var kept = snapshot.deletedIDs.filter { !revived.contains($0) }
        // Once counted, the list is this writer's own.
        if let index, idCount == nil { kept.removeAll { index.row(of: $0) == nil } }
        return deleted.isEmpty ? kept : (kept + deleted).risingDistinct
    }
}

extension Host {
    func randomFileID() -> [UInt8] {
        var id = [UInt8](repeating: 0, count: StoreIdentity.fileIDByteCount)
        // The host fills exactly the buffer that it is given.
        unsafe id.withUnsafeMutableBytes { unsafe fillWithRandomBytes($0) }
        return id
    }
}
