import RVFHost

extension StoreWriterCore {
    /// A commit that has been thought through, before a byte of it is written.
    private struct Plan {
        var layout: CommitLayout
        var payload: ManifestPayload
        var encodedPayload: [UInt8]
        var header: SegmentHeader
        var endOffset: UInt64
    }

    /// One commit, in the order that leaves no torn manifest to any reader: rows and the manifest's payload, sync;
    /// then the manifest's header, which lies within one sector, sync.
    mutating func commit(_ batch: RowBatch) throws(StoreError) {
        try settleName()
        try validateLock()
        let start = try validateFile()
        let plan = try plan(batch, from: start)
        // From here on until the end nothing is certain.
        doubt = Doubt(
            epoch: plan.payload.epoch, segmentID: plan.layout.manifestID,
            byteCount: max(plan.endOffset, doubt?.byteCount ?? 0))
        var stream = SegmentStream(file.writing, at: start)
        for piece in plan.layout.pieces { try stream.append(piece, of: batch) }
        try stream.pad(to: plan.layout.manifestOffset + UInt64(SegmentHeader.byteCount))
        try stream.append(plan.encodedPayload)
        try stream.finish()
        try file.writing.syncData()

        // The length first: a map of bytes that the file does not have would end the process.
        try validateLength(plan.endOffset)
        let source = ByteSource(file: file, byteCount: plan.endOffset, mode: options.readMode)
        try checkPlacement(plan, in: source)
        try validateLock()
        try file.writing.write(plan.header.encoded, at: plan.layout.manifestOffset)
        try file.writing.syncData()
        acknowledge(plan, source)
    }

    private mutating func acknowledge(_ plan: Plan, _ source: ByteSource<H>) {
        let manifest = FoundManifest(
            offset: plan.layout.manifestOffset, header: plan.header, payload: plan.payload,
            damaged: snapshot.manifest.damaged.filter(plan.payload.directory.contains), rejected: [])
        snapshot = SnapshotCore(source: source, manifest: manifest, previous: snapshot)
        fileByteCount = plan.endOffset
        doubt = nil
    }

    // MARK: Looking before writing

    /// Where the file ends, once it is found to be as this writer left it.
    func validateFile() throws(StoreError) -> UInt64 {
        let status = try file.status()
        let size = UInt64(max(0, status.sizeBytes))
        // A failed write may have left any part of what it was to write.
        guard size >= fileByteCount, size <= max(fileByteCount, doubt?.byteCount ?? 0) else {
            throw StoreError.foreignAppend(
                file.path, what: "it has \(size) bytes, where this writer left \(fileByteCount)")
        }
        let manifest = snapshot.manifest
        let source = ByteSource(file: file, byteCount: size, mode: .positional)
        guard try source.header(at: manifest.offset) == manifest.header else {
            throw StoreError.foreignAppend(
                file.path, what: "the manifest at byte \(manifest.offset) is not the one that this writer left")
        }
        return size
    }

    private func validateLength(_ expected: UInt64) throws(StoreError) {
        let size = try file.status().sizeBytes
        guard size == Int64(expected) else {
            throw StoreError.foreignAppend(
                file.path, what: "it has \(size) bytes, where this writer has just written up to byte \(expected)")
        }
    }

    /// The manifest as this package's own readers will see it, before it can be seen.
    private func checkPlacement(_ plan: Plan, in source: ByteSource<H>) throws(StoreError) {
        var examination = Examination(source)
        var placement = ManifestPlacement<H>(candidate: plan.layout.manifestOffset, isMarked: true)
        let verdict = try placement.verdict(
            on: plan.payload.directory, after: snapshot.manifest, examining: &examination)
        guard case .amongSegments = verdict else { throw StoreError.limit(file.path, .layout) }
    }

    // MARK: Planning

    /// How many layouts are tried; each moves what could be mistaken for a manifest.
    private static var layoutAttempts: Int { 16 }

    private func plan(_ batch: RowBatch, from start: UInt64) throws(StoreError) -> Plan {
        let before = snapshot.manifest.payload
        let (epoch, overflow) = max(before.epoch, doubt?.epoch ?? 0).addingReportingOverflow(1)
        if overflow { throw StoreError.limit(file.path, .epochs) }
        var payload = before
        payload.epoch = epoch
        payload.totalVectorCount = try totalVectorCount(with: batch)
        payload.deletedIDs = deletedIDs(without: batch)
        payload.identity = before.identity ?? StoreIdentity(fileID: file.host.randomFileID())
        // Superseded manifests and witnesses stay in the file, unnamed; everything else goes on being named.
        let carried = before.directory.filter { $0.type != .manifest && $0.type != .witness }

        for shift in 0..<Self.layoutAttempts {
            let layout = CommitLayout(
                rowCount: batch.count, dimension: Int(before.dimension), fileByteCount: start,
                firstID: nextSegmentID, shift: shift, limits: options.limits)
            guard let layout else { throw StoreError.limit(file.path, .fileSize) }
            payload.directory = carried + layout.pieces.map(\.entry)
            payload.mark = PlacementMark(manifestOffset: layout.manifestOffset)
            let byteCount = SegmentHeader.byteCount + payload.encodedByteCount
            guard byteCount <= CommitLimits.manifestByteCount else {
                throw StoreError.limit(
                    file.path, .manifest(byteCount: byteCount, maximumByteCount: CommitLimits.manifestByteCount))
            }
            if let plan = Self.checked(layout, payload) { return plan }
        }
        throw StoreError.limit(file.path, .layout)
    }

    /// Nil where other readers would not find this manifest, or something else in its place.
    private static func checked(_ layout: CommitLayout, _ payload: ManifestPayload) -> Plan? {
        let encoded = payload.encoded
        let hash = ContentHash(checksum: CRC32.of(encoded.bytes))
        let header = SegmentHeader(
            type: .manifest, id: layout.manifestID, payloadByteCount: UInt64(encoded.count), hash: hash)
        // A checksum of zero reads as "no hash", and a manifest without one is not believed.
        guard hash.isSet, PublishCheck.findsOnly(manifest: (header.encoded + encoded).bytes) else { return nil }
        let end = layout.manifestOffset + UInt64(SegmentHeader.byteCount + encoded.count)
        return Plan(layout: layout, payload: payload, encodedPayload: encoded, header: header, endOffset: end)
    }

    /// One more than the highest that is known, the manifest's own among them. The layout refuses what comes near the
    /// end of 64 bits.
    private var nextSegmentID: UInt64 {
        let manifest = snapshot.manifest
        let named = manifest.payload.directory.reduce(manifest.header.id) { max($0, $1.id) }
        let highest = max(named, doubt?.segmentID ?? 0)
        return highest == .max ? highest : highest + 1
    }

    /// Distinct ids in the vector segments. Where some cannot be read, the manifest's own count is gone on from.
    private func totalVectorCount(with batch: RowBatch) throws(StoreError) -> UInt64 {
        let before = snapshot.manifest.payload.totalVectorCount
        guard batch.count > 0 else { return before }
        let index = try snapshot.rowIndex()
        let added = UInt64((0..<batch.count).count { index.row(of: batch.id($0)) == nil })
        let base = try snapshot.damages().isEmpty ? UInt64(index.idCount) : before
        let (total, overflow) = base.addingReportingOverflow(added)
        return overflow ? base : total
    }

    /// A row that comes again is there again.
    private func deletedIDs(without batch: RowBatch) -> [UInt64] {
        guard !snapshot.deletedIDs.isEmpty, batch.count > 0 else { return snapshot.deletedIDs }
        let revived = Set((0..<batch.count).map(batch.id))
        return snapshot.deletedIDs.filter { !revived.contains($0) }
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
