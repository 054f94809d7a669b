import RVFHost
import SystemPackage

/// Writes a whole store anew: live rows in their order, foreign segments byte for byte, one manifest at the end. The
/// file is nobody's yet, so nothing in it needs an order; it is made durable, and then given its name, by the caller.
struct StoreRewrite<H: Host> {
    /// Read by calls, so that memory stays bounded and an error of the medium is an error.
    let source: ByteSource<H>
    let table: VectorTable
    /// Nil: only rows are copied.
    let carry: ForeignCarry<H>?
    /// What the new manifest says, but for its directory and count.
    let payload: ManifestPayload
    /// The first segment id to give.
    let firstID: UInt64
    let options: WorkOptions
    /// What this package keeps in segments of its own, written anew behind everything else.
    var state: [StateSegment] = []
    var isDeleted: (_ id: UInt64, _ row: Int) -> Bool
    var isAcceptable: ((_ id: UInt64, _ components: RawSpan, _ row: Int) -> Bool)?
    /// What the metadata is; the new file has that of the ids whose rows it has.
    var metadata: MetadataSurvival?
    /// Whether the work may go on; asked about once a second.
    var check: () throws(StoreError) -> Void = { () throws(StoreError) in }

    struct StateSegment {
        var type: SegmentType
        /// Makes the payload for the vector segments that were written.
        var payload: ([RowState.Segment]) -> [UInt8]
    }

    struct Outcome {
        var manifestOffset: UInt64
        var byteCount: UInt64
        var rowCount: Int
        var carriedCount: Int
    }

    /// What a new file may take beside rows and foreign segments.
    private static var marginByteCount: UInt64 { 1 << 18 + UInt64(CheckpointPayload.byteLimit) }

    func write(to file: BorrowedFile<H>) throws(StoreError) -> Outcome {
        let size = try carry?.survey() ?? ForeignCarry<H>.Size()
        let dimension = Int(payload.dimension)
        let stride = UInt64(VectorPayload.strideBytes(dimension: dimension))
        var pace = WorkPace(
            host: file.host, path: file.path, options: options,
            totalByteCount: 3 * UInt64(table.rowCount) * stride + 2 * size.byteCount, check: check)
        let search = LiveRowSearch(
            source: source, table: table, rowsInMemory: options.rowsInMemory, spool: file, isDeleted: isDeleted,
            isAcceptable: isAcceptable)
        let live = try search.run(&pace).rows
        try file.truncateToNothing()

        var planned = payload
        let segmentCount = VectorCopy<H>.segmentCount(
            rowCount: live.liveCount, dimension: dimension, limits: options.limits)
        planned.directory = [DirectoryEntry](
            repeating: .blank,
            count: segmentCount + size.namedCount + state.count + (metadata == nil ? 0 : 1))
        planned.mark = PlacementMark(manifestOffset: 0)
        try ManifestSeal.checkLength(planned, path: file.path)
        try file.requireSpace(
            VectorCopy<H>.byteCountLimit(rowCount: live.liveCount, dimension: dimension, limits: options.limits)
                + size.byteCount + (metadata?.byteCountLimit ?? 0) + Self.marginByteCount)

        var stream = CopyStream(file)
        var vectors = VectorCopy(
            table, live: live, in: source, for: payload, firstID: firstID, limits: options.limits, metadata: metadata)
        try vectors.run(into: &stream, &pace)
        let places = try carry?.copy(into: &stream, &pace) ?? [:]
        var manifest = finish(vectors.entries, places, live.liveCount)
        let rows = zip(vectors.entries, vectors.hashes).map {
            RowState.Segment(payloadByteCount: $0.payloadByteCount, hash: $1)
        }
        var nextID = vectors.nextID
        if let metadata = vectors.metadata, !metadata.isEmpty {
            let payload = try metadata.payload(for: source.file.path)
            manifest.directory.append(try stream.append(payload, type: .metadata, id: nextID))
            nextID += 1
        }
        for segment in state {
            manifest.directory.append(try stream.append(segment.payload(rows), type: segment.type, id: nextID))
            nextID += 1
        }
        let manifestOffset = try ManifestSeal.append(manifest, id: nextID, to: &stream)
        try stream.finish()
        let outcome = Outcome(
            manifestOffset: manifestOffset, byteCount: stream.position, rowCount: live.liveCount,
            carriedCount: size.count)
        try checkReadable(outcome, manifest, in: file)
        return outcome
    }

    /// Witnesses are carried and, as after a commit, not named.
    private func finish(
        _ vectors: [DirectoryEntry], _ places: [DirectoryEntry: UInt64], _ rowCount: Int
    ) -> ManifestPayload {
        var manifest = payload
        manifest.totalVectorCount = UInt64(rowCount)
        manifest.directory = vectors
        for entry in carry?.directory ?? [] where entry.type != .witness {
            guard let place = places[entry] else { continue }
            manifest.directory.append(
                DirectoryEntry(
                    id: entry.id, offset: place, payloadByteCount: entry.payloadByteCount, type: entry.type))
        }
        return manifest
    }

    /// The new file as a reader will open it.
    private func checkReadable(
        _ outcome: Outcome, _ manifest: ManifestPayload, in file: BorrowedFile<H>
    ) throws(StoreError) {
        let open = OpenFile(host: file.host, descriptor: file.descriptor, path: file.path, isOwner: false)
        var finder = ManifestFinder(ByteSource(file: open, byteCount: outcome.byteCount, mode: .positional))
        let found = try finder.newest()
        guard let found, found.offset == outcome.manifestOffset, found.damaged.isEmpty,
            found.payload.directory == manifest.directory
        else { throw StoreError.limit(file.path, .layout) }
    }
}

extension BorrowedFile {
    func truncateToNothing() throws(StoreError) {
        do throws(Errno) {
            try host.truncate(descriptor, toBytes: 0)
        } catch {
            throw StoreError.system(.write, path, error)
        }
    }

    /// Gives the file the mode, owner and attributes of another one.
    func takeMetadata(of other: OpenFile<H>) throws(StoreError) {
        do throws(Errno) {
            try host.copyMetadata(from: other.descriptor, to: descriptor)
        } catch {
            throw StoreError.system(.copyMetadata, path, error)
        }
    }

    /// Makes bytes, length, mode and attributes durable.
    func sync() throws(StoreError) {
        do throws(Errno) {
            try host.sync(descriptor)
        } catch {
            throw StoreError.system(.sync, path, error)
        }
    }
}

extension FoundManifest {
    /// One more than the highest id that is known; from 1 again where that would be beyond what can be counted. Ids
    /// are not unique.
    func nextSegmentID(after other: UInt64 = 0) -> UInt64 {
        let highest = payload.directory.reduce(max(header.id, other)) { max($0, $1.id) }
        return highest < .max >> 1 ? highest + 1 : 1
    }
}

extension SnapshotCore {
    /// Throws for what the directory and the headers tell of damage; payloads are checked as they are copied.
    func refuseDamage(in table: VectorTable, _ source: ByteSource<H>) throws(StoreError) {
        let damaged = Set(manifest.damaged)
        for segment in table.segments {
            let isCompressed = try source.header(at: segment.entry.offset)?.compression != 0
            // With one of these it throws without a look at the payload.
            if segment.layout == nil || isCompressed || damaged.contains(segment.entry) {
                _ = try segment.checkedLayout(in: source)
            }
        }
    }
}
