import RVFHost

/// The metadata of one state of a store, and the segments that it was read from.
package struct LoadedMetadata: Sendable {
    /// The metadata segments that the manifest names, of whatever version, in the order of the directory.
    private(set) var named: [DirectoryEntry] = []
    /// Those of version 1, each once.
    package private(set) var segments: [DirectoryEntry] = []
    /// How they belong together.
    private(set) var chain = MetadataChain()
    /// Those of ``segments`` that count, by position, in the order in which they are applied.
    package private(set) var path: [Int] = []
    package private(set) var state = MetadataState()
    /// What the payloads of ``named`` take, each counted once.
    private var namedByteCount: UInt64 = 0
    /// Whether every record is known to be of a live id: so it is after a commit of this package that looked.
    var hasLiveRecordsOnly = false

    init() {}

    /// Whether the segments are one snapshot and its deltas, and nothing else.
    var isPlain: Bool { path.count == segments.count }

    /// Reads what a manifest names. The payloads are copied and checked; memory is what the state takes, and one
    /// payload.
    ///
    /// - Parameters:
    ///   - entries: the metadata segments, in the order of the directory.
    ///   - damaged: those with a damaged header.
    ///   - known: what was read for an earlier manifest of the file. Where that is no use, all is read.
    ///   - onDamage: told of what cannot be read, which is then left out; nil: it is thrown.
    init<H: Host>(
        _ entries: [DirectoryEntry], damaged: [DirectoryEntry], in source: ByteSource<H>,
        known: LoadedMetadata? = nil, onDamage: ((StoreError) -> Void)? = nil
    ) throws(StoreError) {
        if let known, entries.starts(with: known.named) { self = known }
        let applied = path
        let reading = MetadataReading(source)
        var seen = Set(named)
        for entry in entries.dropFirst(named.count) {
            named.append(entry)
            guard seen.insert(entry).inserted else { continue }
            do throws(StoreError) {
                try count(entry, reading)
                if damaged.contains(entry) { throw reading.damagedHeader(of: entry) }
                guard let header = try reading.header(of: entry) else { continue }
                segments.append(entry)
                chain.append(
                    generation: header.generation, baseGeneration: header.baseGeneration,
                    byteCount: Int(clamping: entry.payloadByteCount))
            } catch {
                guard let onDamage, case .damaged = error else { throw error }
                onDamage(error)
            }
        }
        let path = chain.path
        // Where the state that was known is not on the way to the new one, all of the way is gone again.
        let start = path.starts(with: applied) ? applied.count : 0
        if start == 0 { state = MetadataState() }
        if path != applied { hasLiveRecordsOnly = false }
        self.path = Array(path.prefix(start))
        for position in path.dropFirst(start) {
            do throws(StoreError) {
                state = try reading.applying(segments[position], to: state)
            } catch {
                guard let onDamage, case .damaged = error else { throw error }
                onDamage(error)
                // What rests on it cannot be read either.
                break
            }
            self.path.append(position)
        }
    }

    /// Segments that lie in one another could make a small file one of any amount of metadata. No others are longer
    /// together than their file.
    private mutating func count<H: Host>(_ entry: DirectoryEntry, _ reading: MetadataReading<H>) throws(StoreError) {
        let (sum, overflow) = namedByteCount.addingReportingOverflow(entry.payloadByteCount)
        guard !overflow, sum <= reading.source.byteCount else { throw reading.excess(entry) }
        namedByteCount = sum
    }

    /// What there is to be read once a commit of metadata is written.
    ///
    /// - Parameter named: the metadata segments that the commit's manifest names; the last is the commit's own.
    func after(_ commit: MetadataCommit, named: [DirectoryEntry]) -> LoadedMetadata {
        var next = commit.isSnapshot ? LoadedMetadata() : self
        next.named = named
        guard let own = named.last else { return next }
        next.namedByteCount += own.payloadByteCount
        next.segments.append(own)
        next.chain.append(
            generation: commit.state.generation,
            baseGeneration: commit.isSnapshot ? nil : commit.state.generation - 1,
            byteCount: Int(clamping: own.payloadByteCount))
        next.path = next.chain.path
        next.state = commit.state
        return next
    }
}

/// Reads single metadata segments, and says what is wrong with them.
struct MetadataReading<H: Host> {
    let source: ByteSource<H>

    init(_ source: ByteSource<H>) {
        self.source = source
    }

    /// The beginning of a segment of version 1, whose hash was checked; nil for one of another version, or whose
    /// payload is another writer's own.
    func header(of entry: DirectoryEntry) throws(StoreError) -> MetadataHeader? {
        guard let header = try source.header(at: entry.offset), entry.matches(header) else {
            throw damagedHeader(of: entry)
        }
        guard header.version == SegmentHeader.currentVersion else { return nil }
        guard let end = entry.end, end <= source.byteCount else { throw damagedHeader(of: entry) }
        if header.hash.expectedChecksum != nil {
            let checksum = try source.checksum(at: entry.payloadOffset, count: entry.payloadByteCount)
            guard header.hash.verdict(onChecksum: checksum) != .differs else {
                throw damage(entry, nil, "the metadata segment here does not have the hash that its header gives")
            }
        }
        let count = min(Int(clamping: entry.payloadByteCount), MetadataFormat.headerByteCount)
        let head = try source.read(at: entry.payloadOffset, count: count)
        // With its hash right, it is whole, and of somebody else.
        if !MetadataHeader.isOfVersion1(head.bytes), header.hash.expectedChecksum != nil { return nil }
        if header.compression != 0 {
            // Where the header says so.
            throw damage(
                entry, entry.offset + 0x21,
                "the metadata segment is compressed, which this version cannot read")
        }
        do throws(FormatError) {
            try MetadataFooter.checkByteCount(Int(clamping: entry.payloadByteCount))
            var cursor = MetadataCursor(head.bytes)
            return try MetadataHeader(&cursor)
        } catch {
            throw malformed(entry, error)
        }
    }

    /// The state after a segment that follows it, by ``header(of:)``.
    func applying(_ entry: DirectoryEntry, to state: MetadataState) throws(StoreError) -> MetadataState {
        // A copy: the payload holds a hash of itself, and what was checked is then what is used.
        let bytes = try source.read(at: entry.payloadOffset, count: Int(entry.payloadByteCount))
        do throws(FormatError) {
            return try state.applying(bytes.bytes)
        } catch {
            throw malformed(entry, error)
        }
    }

    func damagedHeader(of entry: DirectoryEntry) -> StoreError {
        damage(entry, nil, "the header of the metadata segment that the manifest names here is damaged")
    }

    func excess(_ entry: DirectoryEntry) -> StoreError {
        damage(
            entry, entry.payloadOffset,
            "the manifest names the metadata segment here besides others of more bytes than the file has")
    }

    private func malformed(_ entry: DirectoryEntry, _ error: FormatError) -> StoreError {
        damage(entry, entry.payloadOffset + UInt64(error.offset), "the metadata is malformed: \(error.what)")
    }

    private func damage(_ entry: DirectoryEntry, _ offset: UInt64?, _ what: String) -> StoreError {
        .damaged(
            source.file.path, offset: offset ?? entry.offset, what: what + "; the store's metadata is not available")
    }
}

extension MetadataHeader {
    /// Whether a payload begins as those do that are decoded here.
    static func isOfVersion1(_ payload: RawSpan) -> Bool {
        payload.byteCount >= 10 && payload.integer(UInt64.self, at: 0) == MetadataFormat.magic
            && payload.integer(UInt16.self, at: 8) == MetadataFormat.version
    }
}
