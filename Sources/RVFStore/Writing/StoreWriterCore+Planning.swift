import RVFHost

extension StoreWriterCore {
    /// A commit that has been thought through, before a byte of it is written.
    struct Plan {
        var change: StoreChange
        /// The entries of the manifest before that go on being named, before anything is replaced.
        var carried: [DirectoryEntry]
        /// Complete but for its directory and its mark.
        var payload: ManifestPayload
        /// The first segment id to give.
        var firstID: UInt64
        /// The commit ends at or before this offset.
        var endLimit: UInt64
    }

    /// A manifest that other readers will find, ready to be written.
    struct SealedManifest {
        var offset: UInt64
        var header: SegmentHeader
        var payload: ManifestPayload
        var encodedPayload: [UInt8]
        var endOffset: UInt64
    }

    /// How many places are tried for a manifest; each changes its bytes.
    private static var placeAttempts: Int { 16 }
    /// Offsets that the system can express, with room for what one commit adds.
    private static var offsetLimit: UInt64 { UInt64(Int64.max) >> 1 }

    /// - Parameters:
    ///   - carried: see ``carriedEntries(after:)``.
    ///   - start: where the file ends.
    func plan(
        _ change: StoreChange, carrying carried: [DirectoryEntry], from start: UInt64
    ) throws(StoreError) -> Plan {
        let before = snapshot.manifest.payload
        var payload = before
        payload.epoch = try nextEpoch()
        payload.totalVectorCount = change.totalVectorCount
        payload.deletedIDs = change.deletedIDs
        payload.identity = before.identity ?? newIdentity
        // Its length does not depend on what stands in it.
        var sized = payload
        let entryCount = carried.count + change.newSegments.count + change.state.segments.count
        sized.directory = Array(repeating: .blank, count: entryCount - change.replacedCount)
        sized.mark = PlacementMark(manifestOffset: 0, unsyncedFrom: 0)
        let byteCount = SegmentHeader.byteCount + sized.encodedByteCount
        guard byteCount <= CommitLimits.manifestByteCount else {
            throw StoreError.limit(
                file.path, .manifest(byteCount: byteCount, maximumByteCount: CommitLimits.manifestByteCount))
        }
        let firstID = snapshot.manifest.nextSegmentID(after: doubt?.segmentID ?? 0)
        let (endLimit, isBeyond) = start.addingReportingOverflow(
            change.byteCountLimit(dimension: Int(before.dimension), limits: options.limits) + UInt64(byteCount)
                + UInt64(Self.placeAttempts * SegmentHeader.byteCount))
        guard !isBeyond, endLimit <= Self.offsetLimit, firstID <= Self.offsetLimit else {
            throw StoreError.limit(file.path, .fileSize)
        }
        return Plan(change: change, carried: carried, payload: payload, firstID: firstID, endLimit: endLimit)
    }

    func nextEpoch() throws(StoreError) -> UInt32 {
        let (epoch, overflow) = max(snapshot.manifest.payload.epoch, doubt?.epoch ?? 0).addingReportingOverflow(1)
        if overflow { throw StoreError.limit(file.path, .epochs) }
        return epoch
    }

    /// Superseded manifests and witnesses stay in the file, unnamed, and so do row indexes, which a compaction of other
    /// writers names; everything else goes on being named, unless the commit writes it anew. So does the one witness
    /// that this package's own manifest names: its chain goes on.
    func carriedEntries(after state: StateChange) throws(StoreError) -> [DirectoryEntry] {
        let isOurs = snapshot.manifest.payload.mark != nil
        var entries: [DirectoryEntry] = []
        entries.reserveCapacity(snapshot.manifest.payload.directory.count)
        for entry in snapshot.manifest.payload.directory {
            if entry.type == .manifest || entry.type == .witness && !isOurs || state.superseded.contains(entry) { continue }
            if try !snapshot.source.isOwnSideSegment(entry) { entries.append(entry) }
        }
        return entries
    }

    /// Completes the manifest, and finds a place for it at or behind an offset.
    ///
    /// - Parameters:
    ///   - vectors: an entry for each new vector segment.
    ///   - state: an entry for each new state segment.
    ///   - unsyncedFrom: see ``PlacementMark``.
    func seal(
        _ plan: Plan, vectors: [DirectoryEntry], state: [DirectoryEntry], id: UInt64, from position: UInt64,
        unsyncedFrom: UInt64?
    ) throws(StoreError) -> SealedManifest {
        var payload = plan.payload
        payload.directory = plan.change.directory(
            replacing: plan.carried, table: try snapshot.vectorTable(), with: vectors) + state
        for attempt in 0..<Self.placeAttempts {
            let offset = position.alignedToSegment + UInt64(attempt * SegmentHeader.byteCount)
            payload.mark = PlacementMark(
                manifestOffset: offset, unsyncedFrom: unsyncedFrom, isCounted: plan.change.idCount != nil)
            let encoded = payload.encoded
            let hash = ContentHash(checksum: CRC32.of(encoded.bytes))
            let header = SegmentHeader(
                type: .manifest, id: id, payloadByteCount: UInt64(encoded.count), hash: hash)
            // A checksum of zero reads as "no hash", and a manifest without one is not believed.
            guard hash.isSet, PublishCheck.findsOnly(manifest: (header.encoded + encoded).bytes) else { continue }
            let end = offset + UInt64(SegmentHeader.byteCount + encoded.count)
            return SealedManifest(
                offset: offset, header: header, payload: payload, encodedPayload: encoded, endOffset: end)
        }
        throw StoreError.limit(file.path, .layout)
    }

    /// What becomes of the vector segments.
    ///
    /// - Parameter carried: see ``carriedEntries(after:)``.
    func change(
        _ transaction: ResolvedTransaction, deleting deleted: [UInt64], merging: Bool, state: StateChange,
        carrying carried: [DirectoryEntry]
    ) throws(StoreError) -> StoreChange {
        let before = snapshot.manifest.payload
        guard transaction.rows.count > 0 || !deleted.isEmpty || merging else {
            return StoreChange(
                state: state, deletedIDs: snapshot.deletedIDs, totalVectorCount: before.totalVectorCount,
                idCount: idCount)
        }
        let isWhole = try snapshot.isWhole()
        let added = try snapshot.rowFinder().missingCount(of: transaction.run, in: snapshot.source)
        let trusted = try trustedIDCount()
        var known = isWhole ? trusted : nil
        if isWhole, known == nil { known = try snapshot.idCount() }
        // Other writers list ids of which there is no row. Once counted, the list is this package's own.
        let deletedIDs = try deletedIDs(
            adding: deleted, without: transaction.run, cleaning: isWhole && trusted == nil)
        // An index that was asked for the first time may have turned out to be torn, and its rows to be damaged: then
        // nobody knows what is missing.
        guard try snapshot.isWhole() == isWhole else {
            return try change(transaction, deleting: deleted, merging: merging, state: state, carrying: carried)
        }
        let (total, overflow) = before.totalVectorCount.addingReportingOverflow(UInt64(added))
        // Room for deleted ids in a manifest that names as much besides, and has an identity and a mark.
        var empty = before
        let otherCount = carried.count { $0.type != .vectors } + state.segments.count
        empty.directory = Array(repeating: .blank, count: otherCount)
        empty.deletedIDs = []
        empty.identity = before.identity ?? newIdentity
        empty.mark = PlacementMark(manifestOffset: 0, unsyncedFrom: 0)
        // Ids that spell a header would keep every manifest from being published that lists them.
        let free = PublishCheck.mayMislead(deletedIDs)
            ? 0 : CommitLimits.manifestByteCount - SegmentHeader.byteCount - empty.encodedByteCount
        var planner = ChangePlanner(
            snapshot: snapshot, table: try snapshot.vectorTable(), rows: transaction.rows, newRun: transaction.run,
            limits: options.limits,
            deletedRoom: { max(0, (free - $0 * DirectoryEntry.byteCount) / 8) },
            deletedIDs: deletedIDs,
            // Where some rows cannot be read, the manifest's own count is gone on from.
            totalVectorCount: known.map { UInt64($0 + added) } ?? (overflow ? before.totalVectorCount : total),
            idCount: known.map { $0 + added })
        var change = try planner.change(merging: merging)
        change.state = state
        return change
    }

    /// The count of distinct ids that this writer, or the one before it, has come to; nil where nobody has counted,
    /// or where it cannot be.
    private func trustedIDCount() throws(StoreError) -> Int? {
        guard let idCount, idCount <= (try snapshot.vectorTable().rowCount) else { return nil }
        return idCount
    }

    /// The deleted list, if nothing is rewritten. A row that comes again is there again.
    ///
    /// - Parameter cleaning: whether ids are left out of which there is no row.
    private func deletedIDs(
        adding deleted: [UInt64], without revived: RowRun, cleaning: Bool
    ) throws(StoreError) -> [UInt64] {
        var kept = snapshot.deletedIDs.filter { !revived.contains($0) }
        if cleaning { kept = try snapshot.present(kept) }
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
