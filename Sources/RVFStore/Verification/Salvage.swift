import RVFHost
import Synchronization

/// What cannot be saved, each place once. Safe to share between threads.
final class LossList: Sendable {
    private struct State: Sendable {
        var places: Set<UInt64> = []
        var problems: [VerificationReport.Problem] = []
        var count = 0
    }

    private let state = Mutex(State())

    func add(_ offset: UInt64, _ what: String) {
        state.withLock { state in
            // Places beyond the limit are counted, perhaps twice, and not remembered.
            guard !state.places.contains(offset) else { return }
            state.count += 1
            guard state.problems.count < VerificationReport.problemLimit else { return }
            state.places.insert(offset)
            state.problems.append(VerificationReport.Problem(offset: offset, what: what, severity: .damage))
        }
    }

    func add(_ error: StoreError) throws(StoreError) {
        guard case .damaged(_, let offset, let what) = error else { throw error }
        add(offset, what)
    }

    var all: (problems: [VerificationReport.Problem], count: Int) {
        state.withLock { ($0.problems.sorted { $0.offset < $1.offset }, $0.count) }
    }
}

/// What of a damaged file is intact.
struct Salvage<H: Host> {
    private let source: ByteSource<H>
    /// The manifest that is gone by; nil where none can be believed.
    let manifest: FoundManifest?
    private let table: VectorTable
    private let payload: ManifestPayload
    /// Other writers' segments that the new manifest is to name.
    private let foreign: [DirectoryEntry]
    private let deletions: Deletions
    /// As much of it as can be read.
    private let metadata: LoadedMetadata

    /// Which rows were deleted: those of an id before a row number.
    private struct Deletions {
        var rowLimits: [UInt64: Int] = [:]

        func contains(_ id: UInt64, _ row: Int) -> Bool { row < rowLimits[id] ?? 0 }
    }

    init(_ source: ByteSource<H>, _ options: RepairOptions, _ losses: LossList) throws(StoreError) {
        self.source = source
        var finder = ManifestFinder(source)
        var nearest: RejectedManifest?
        do throws(StoreError) {
            manifest = try finder.newestOrFailure()
        } catch {
            switch error {
            case .notAStore(_, .noManifest(let rejected)): nearest = rejected
            case .limit(_, .lookalikes): break
            default: throw error
            }
            manifest = nil
        }
        let findings = try Self.find(source, manifest, options, losses)
        if manifest == nil, let nearest { losses.add(nearest.offset, "what looks like a manifest here \(nearest.why)") }
        let rows = (manifest?.payload.directory.filter { $0.type == .vectors } ?? []) + findings.vectors
        let found = manifest == nil ? try Self.dimension(of: rows, in: source) : nil
        guard let dimension = manifest?.payload.dimension ?? found else {
            throw StoreError.notAStore(source.file.path, .noManifest(nearest: nearest))
        }
        var payload = manifest?.payload
            ?? ManifestPayload(
                epoch: 0, dimension: dimension, totalVectorCount: 0, metric: options.metric, directory: [],
                deletedIDs: [], identity: nil)
        payload.epoch = payload.epoch == .max ? .max : payload.epoch + 1
        payload.identity = payload.identity ?? StoreIdentity(fileID: source.file.host.randomFileID())
        payload.directory = rows
        table = try Self.intactTable(payload, manifest, in: source, losses)
        foreign = manifest?.payload.directory.filter { !$0.type.isRewritten } ?? findings.foreign
        try Self.reportCheckpoints(foreign, in: source, losses)
        deletions = try Self.deletions(manifest, findings.journals, table, in: source, losses)
        payload.deletedIDs = []
        self.payload = payload
        metadata = try Self.metadata(foreign.filter { $0.type == .metadata }, manifest, in: source, losses)
    }

    func rewrite(_ options: RepairOptions, _ losses: LossList) -> StoreRewrite<H> {
        let (deletions, table) = (deletions, table)
        // The vector segments are named here, too, so that nothing inside one is taken for a segment.
        let named = manifest?.payload.directory ?? table.segments.map(\.entry) + foreign
        let carry = ForeignCarry(
            source: source, directory: named, manifest: manifest,
            onDamage: { if case .damaged(_, let offset, let what) = $0 { losses.add(offset, what) } },
            leavesOutMetadata: true)
        return StoreRewrite(
            source: source, table: table, carry: carry, payload: payload, firstID: manifest?.nextSegmentID() ?? 1,
            options: options.work, isDeleted: deletions.contains,
            isAcceptable: { id, components, row in
                for position in 0..<(components.byteCount / 4) where !components.float(at: 4 * position).isFinite {
                    let place = table.locate(UInt32(row))
                    let offset = place.segment.entry.payloadOffset
                        + UInt64(place.segment.layout?.offset(ofRow: place.row) ?? 0)
                    losses.add(offset, "the row here, id \(id), has a component that is no finite number")
                    return false
                }
                return true
            },
            metadata: metadata.path.isEmpty ? nil : MetadataSurvival(metadata.state, isKept: { _ in false }))
    }

    /// The metadata up to the first segment that cannot be read.
    private static func metadata(
        _ entries: [DirectoryEntry], _ manifest: FoundManifest?, in source: ByteSource<H>, _ losses: LossList
    ) throws(StoreError) -> LoadedMetadata {
        let metadata = try LoadedMetadata(entries, damaged: manifest?.damaged ?? [], in: source) { error in
            if case .damaged(_, let offset, let what) = error { losses.add(offset, what) }
        }
        let lost = metadata.chain.path.dropFirst(metadata.path.count)
            + metadata.segments.indices.filter { !metadata.chain.fits($0) }
        for position in lost {
            losses.add(
                metadata.segments[position].offset, "the changes to metadata here, whose base cannot be read")
        }
        return metadata
    }

    // MARK: Looking

    private struct Findings {
        var vectors: [DirectoryEntry] = []
        var foreign: [DirectoryEntry] = []
        var journals: [DirectoryEntry] = []
    }

    /// Walks the file for what no manifest names.
    private static func find(
        _ source: ByteSource<H>, _ manifest: FoundManifest?, _ options: RepairOptions, _ losses: LossList
    ) throws(StoreError) -> Findings {
        var findings = Findings()
        var walk = FileWalk(source, manifest: manifest)
        while let piece = try walk.next() {
            switch piece {
            case .zeros, .damagedHeader: break
            case .stray(let range):
                losses.add(range.lowerBound, "\(range.upperBound - range.lowerBound) bytes that belong to no segment")
            case .segment(let header, let offset, isNamed: false) where header.version == SegmentHeader.currentVersion:
                let entry = DirectoryEntry(header, at: offset)
                switch header.type {
                case .vectors:
                    if manifest == nil || options.includesUnnamedRows && offset > manifest?.offset ?? 0 {
                        findings.vectors.append(entry)
                    } else if offset > manifest?.offset ?? 0 {
                        losses.add(offset, "the rows of a vector segment that the manifest in force does not name")
                    }
                case .journal: findings.journals.append(entry)
                case .manifest, .witness: break
                default:
                    if manifest == nil, try !source.isOwnSideSegment(entry) { findings.foreign.append(entry) }
                }
            case .segment: break
            }
        }
        if walk.gaveUp { losses.add(source.byteCount, "bytes that look like segments, and were too many to examine") }
        return findings
    }

    /// The dimension of the first segment that has one.
    private static func dimension(
        of rows: [DirectoryEntry], in source: ByteSource<H>
    ) throws(StoreError) -> UInt16? {
        for entry in rows where entry.payloadByteCount >= UInt64(VectorPayload.headerByteCount) {
            let dimension = try source.withBytes(at: entry.payloadOffset, count: 2) { (bytes) throws(StoreError) in
                bytes.integer(UInt16.self, at: 0)
            }
            guard dimension > 0,
                let segment = try VectorSegment(entry, in: source, dimension: dimension)
            else { continue }
            do throws(StoreError) {
                _ = try segment.checkedLayout(in: source)
                return dimension
            } catch {
                guard case .damaged = error else { throw error }
            }
        }
        return nil
    }

    private static func intactTable(
        _ payload: ManifestPayload, _ manifest: FoundManifest?, in source: ByteSource<H>, _ losses: LossList
    ) throws(StoreError) -> VectorTable {
        let header = SegmentHeader(type: .manifest, id: 0, payloadByteCount: 0, hash: .unset)
        var assumed = FoundManifest(
            offset: 0, header: header, payload: payload, damaged: manifest?.damaged ?? [], rejected: [])
        let all = try VectorTable(assumed, in: source, known: nil)
        assumed.payload.directory = []
        for segment in all.segments {
            do throws(StoreError) {
                _ = try segment.checkedLayout(in: source)
                assumed.payload.directory.append(segment.entry)
            } catch {
                try losses.add(error)
            }
        }
        return try VectorTable(assumed, in: source, known: all)
    }

    /// Checkpoints are left out: nobody knows whether all the rows that they count are saved.
    private static func reportCheckpoints(
        _ foreign: [DirectoryEntry], in source: ByteSource<H>, _ losses: LossList
    ) throws(StoreError) {
        for entry in foreign {
            guard try source.checkpointHead(of: entry) != nil, let payload = try source.checkpoints(at: entry) else {
                continue
            }
            // A few of them are enough to know where to look.
            let list = payload.current.all.prefix(8).map { "\($0.source): \($0.count) events" }
            losses.add(
                entry.offset, "the checkpoints of \(payload.current.all.count) sources, since the rows that they count "
                    + "need not be there (\(list.joined(separator: ", "))); restore them where they are")
        }
    }

    private static func deletions(
        _ manifest: FoundManifest?, _ journals: [DirectoryEntry], _ table: VectorTable, in source: ByteSource<H>,
        _ losses: LossList
    ) throws(StoreError) -> Deletions {
        var deletions = Deletions()
        if let manifest {
            for id in manifest.payload.deletedIDs { deletions.rowLimits[id] = .max }
            return deletions
        }
        for entry in journals {
            // What was written behind it is there again.
            let earlier = table.segments.filter { $0.entry.offset < entry.offset }
            let limit = earlier.reduce(0) { $0 + ($1.layout?.rowCount ?? 0) }
            guard entry.payloadByteCount <= UInt64(CommitLimits.segmentByteCount),
                let header = try source.header(at: entry.offset)
            else { continue }
            let bytes = try source.read(at: entry.payloadOffset, count: Int(entry.payloadByteCount))
            let isRight = header.hash.verdict(onChecksum: CRC32.of(bytes.bytes)) != .differs
            guard isRight, let journal = try? JournalPayload(bytes.bytes) else {
                losses.add(entry.offset, "the journal here is damaged; what it deleted comes back")
                continue
            }
            for id in journal.deletedIDs { deletions.rowLimits[id] = limit }
        }
        return deletions
    }
}
