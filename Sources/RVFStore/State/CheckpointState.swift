import RVFHost

/// The checkpoints of a state, and what the next commit has to know to write them again.
struct CheckpointState: Sendable {
    var list = CheckpointList()
    /// The highest generation that is named; 0 where there is none.
    var generation: UInt64 = 0
    /// Segments of checkpoints that are named, those among them that do not count.
    var entries: Set<DirectoryEntry> = []
    /// What the segment that counts takes; 0 where there is none.
    var byteCount = 0
}

extension SnapshotCore {
    /// The checkpoints that count.
    package func checkpointList() throws(StoreError) -> CheckpointList { try checkpointState().list }

    /// How many segments of one generation are looked at; of honest writers there are a few, of commits that crashed.
    private static var examinedLimit: Int { 64 }

    /// Lengths and hashes of the vector segments, and deleted ids.
    func rowState() throws(StoreError) -> RowState {
        RowState(segments: try vectorTable().segments.map(\.rowStateSegment), deletedIDs: deletedIDs)
    }

    /// Finds the checkpoints that count.
    ///
    /// A manifest of this package names one segment, and what it says is so. Any other manifest may name what was never
    /// committed: see ``CheckpointBinding``.
    func readCheckpoints() throws(StoreError) -> CheckpointState {
        var state = CheckpointState()
        let named = Set(manifest.payload.directory.filter { $0.type == .checkpoints }).sorted { $0.offset < $1.offset }
        guard !named.isEmpty else { return state }
        let isOurs = manifest.payload.mark != nil
        var candidates: [(entry: DirectoryEntry, generation: UInt64)] = []
        for entry in named {
            guard let head = try source.checkpointHead(of: entry) else { continue }
            state.entries.insert(entry)
            if head.fileID == manifest.payload.identity?.fileID { candidates.append((entry, head.generation)) }
        }
        // The highest generation first, and of one generation the one that was written last.
        candidates.sort { ($0.generation, $0.entry.offset) > ($1.generation, $1.entry.offset) }
        var highest: (payload: CheckpointPayload, entry: DirectoryEntry)?
        var examined = 0
        for candidate in candidates {
            if let highest, candidate.generation < highest.payload.generation || examined >= Self.examinedLimit { break }
            examined += 1
            guard let payload = try source.checkpoints(at: candidate.entry) else { continue }
            if highest == nil { highest = (payload, candidate.entry) }
            if !isOurs {
                guard payload.isProvable, payload.binding.agrees(with: try rowState()) else { continue }
            }
            state.take(payload.current, of: payload, at: candidate.entry)
            return state
        }
        if let highest {
            state.take(highest.payload.prior, of: highest.payload, at: highest.entry)
        } else if isOurs {
            try refuseDamaged(named)
        }
        return state
    }

    /// Where this package's own manifest names checkpoints, they are there, or damaged. Another writer's segment of the
    /// same type is no damage.
    private func refuseDamaged(_ named: [DirectoryEntry]) throws(StoreError) {
        for entry in named where try source.isDamaged(entry) {
            throw StoreError.damaged(
                source.file.path, offset: entry.offset,
                what: "the checkpoints here do not have the hash that their header gives")
        }
    }
}

extension CheckpointState {
    fileprivate mutating func take(_ list: CheckpointList, of payload: CheckpointPayload, at entry: DirectoryEntry) {
        self.list = list
        generation = payload.generation
        byteCount = Int(clamping: entry.payloadByteCount)
    }
}

extension VectorSegment {
    var rowStateSegment: RowState.Segment {
        RowState.Segment(payloadByteCount: entry.payloadByteCount, hash: hash)
    }
}

extension ByteSource {
    /// The beginning of checkpoints as this package writes them; nil for anything else of that type.
    func checkpointHead(of entry: DirectoryEntry) throws(StoreError) -> (fileID: [UInt8], generation: UInt64)? {
        guard entry.type == .checkpoints, isPossible(entry) else { return nil }
        return try withBytes(at: entry.payloadOffset, count: CheckpointPayload.headByteCount) {
            (head) throws(StoreError) in CheckpointPayload.recognise(head)
        }
    }

    /// The checkpoints of a segment; nil where it is none, or damaged.
    func checkpoints(at entry: DirectoryEntry) throws(StoreError) -> CheckpointPayload? {
        guard isPossible(entry), let header = try header(at: entry.offset), entry.matches(header) else { return nil }
        // A copy, since the file may change under a mapping between the check and the reading.
        let bytes = try read(at: entry.payloadOffset, count: Int(entry.payloadByteCount))
        guard header.hash.verdict(onChecksum: CRC32.of(bytes.bytes)) == .matches else { return nil }
        return try? CheckpointPayload(bytes.bytes)
    }

    func isDamaged(_ entry: DirectoryEntry) throws(StoreError) -> Bool {
        guard let end = entry.end, end <= byteCount else { return true }
        guard let header = try header(at: entry.offset), entry.matches(header) else { return true }
        guard header.hash.expectedChecksum != nil else { return false }
        let checksum = try checksum(at: entry.payloadOffset, count: entry.payloadByteCount)
        return header.hash.verdict(onChecksum: checksum) == .differs
    }

    /// Whether an entry lies within the file, and is as long as checkpoints can be.
    private func isPossible(_ entry: DirectoryEntry) -> Bool {
        guard let end = entry.end, end <= byteCount else { return false }
        return entry.payloadByteCount >= UInt64(CheckpointPayload.smallestByteCount)
            && entry.payloadByteCount <= UInt64(CheckpointPayload.byteLimit)
    }
}
