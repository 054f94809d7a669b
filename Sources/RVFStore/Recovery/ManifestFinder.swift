package import RVFHost

/// A manifest that is believed.
package struct FoundManifest: Equatable, Sendable {
    /// Where its header stands.
    package var offset: UInt64
    package var header: SegmentHeader
    package var payload: ManifestPayload
    /// Named segments whose header is damaged.
    package var damaged: [DirectoryEntry]
    /// Newer bytes that look like a manifest and were not believed; the newest few.
    package var rejected: [RejectedManifest]

    /// Where its payload ends.
    package var end: UInt64 { offset + UInt64(SegmentHeader.byteCount) + header.payloadByteCount }
}

extension FoundManifest {
    /// Whether the manifest is tied to its place: by a segment that it names, by its mark, or since nothing can stand
    /// before it. Any other fits wherever a segment may begin.
    fileprivate var speaksForItself: Bool {
        offset == 0 || payload.mark != nil || !payload.directory.isEmpty
    }

    /// Whether the manifest is a later one of the same store.
    fileprivate func continues(_ earlier: FoundManifest) -> Bool {
        payload.identity == earlier.payload.identity && payload.epoch > earlier.payload.epoch
    }
}

/// Finds the newest manifest that can be believed: its hash is set and right, it names only segments that stand
/// before it as named, and it is itself no part of another segment's payload.
package struct ManifestFinder<H: Host>: Sendable {
    private enum Judgement {
        case believed(FoundManifest)
        case rejected(String)
        case enclosed(by: Range<UInt64>)
    }

    private let source: ByteSource<H>
    private var examination: Examination<H>
    /// What the last search did not believe, newest first, the first few.
    private(set) var rejected: [RejectedManifest] = []

    /// How many rejected candidates are told about, and how many are remembered that prove nothing by themselves.
    private static var rejectedLimit: Int { 8 }
    /// No reader takes a longer segment, so a longer manifest was never of use to anybody.
    private static var longestPayload: UInt64 { 256 << 20 }

    package init(_ source: ByteSource<H>) {
        self.source = source
        examination = Examination(source)
    }

    /// The newest manifest of a file, or of what stands behind a manifest that is believed; nil where there is none.
    package mutating func newest(after known: FoundManifest? = nil) throws(StoreError) -> FoundManifest? {
        var scan = ManifestScan(source, from: known?.end ?? 0)
        rejected = []
        // Manifests that name nothing, the newest first: believed only if they continue one that is tied to its place.
        var unproven: [FoundManifest] = []
        while let candidate = try scan.next() {
            switch try judge(candidate, after: known) {
            case .believed(var manifest):
                manifest.rejected = rejected
                if manifest.speaksForItself { return unproven.first { $0.continues(manifest) } ?? manifest }
                if unproven.count < Self.rejectedLimit { unproven.append(manifest) }
                reject(candidate, "names no segment, and is of another store than the manifest before")
            case .rejected(let why):
                reject(candidate, why)
            case .enclosed(let segment):
                reject(candidate, "lies inside the segment at byte \(segment.lowerBound)")
                scan.skip(from: segment.lowerBound)
            }
        }
        guard let known else { return unproven.first }
        return unproven.first { $0.continues(known) }
    }

    /// The newest manifest of a whole file, or why it is no store.
    package mutating func newestOrFailure() throws(StoreError) -> FoundManifest {
        if let manifest = try newest() { return manifest }
        let path = source.file.path
        throw StoreError.notAStore(path, source.byteCount == 0 ? .empty : .noManifest(nearest: rejected.first))
    }

    private mutating func reject(_ offset: UInt64, _ why: String) {
        if rejected.count < Self.rejectedLimit { rejected.append(RejectedManifest(offset: offset, why: why)) }
    }

    private mutating func judge(_ offset: UInt64, after known: FoundManifest?) throws(StoreError) -> Judgement {
        guard let header = try source.header(at: offset), header.type == .manifest else {
            return .rejected("changed while it was read")
        }
        guard header.version == SegmentHeader.currentVersion else {
            return .rejected("is of version \(header.version), which is not known here")
        }
        guard let end = header.end(at: offset), end <= source.byteCount else {
            return .rejected("is longer than the rest of the file")
        }
        let length = header.payloadByteCount
        guard length >= UInt64(ManifestPayload.smallestByteCount), length <= Self.longestPayload else {
            return .rejected("has a length that no manifest has: \(length) bytes")
        }
        guard let expected = header.hash.expectedChecksum else {
            return .rejected(header.hash.isSet ? "has a hash of an unknown kind" : "has no hash")
        }
        let payloadOffset = offset + UInt64(SegmentHeader.byteCount)
        try examination.spend(length)
        // One that is far longer than those written here takes no memory before it is found to be whole.
        if length > UInt64(ByteSource<H>.windowByteCount),
            try source.checksum(at: payloadOffset, count: length) != expected
        {
            return .rejected("does not have the hash that its header gives")
        }
        // A copy is checked and decoded, since the file may change under a mapping.
        let copy = try source.read(at: payloadOffset, count: Int(length))
        guard CRC32.of(copy.bytes) == expected else {
            return .rejected("does not have the hash that its header gives")
        }
        return try judge(copy, header: header, at: offset, after: known)
    }

    private mutating func judge(
        _ bytes: [UInt8], header: SegmentHeader, at offset: UInt64, after known: FoundManifest?
    ) throws(StoreError) -> Judgement {
        let payload: ManifestPayload
        do throws(FormatError) {
            payload = try ManifestPayload(bytes.bytes)
        } catch {
            return .rejected("is malformed at byte \(error.offset) of its payload: \(error.what)")
        }
        if let mark = payload.mark, mark.manifestOffset != offset {
            return .rejected("is a copy of the one that stood at byte \(mark.manifestOffset)")
        }
        if payload.dimension == 0 { return .rejected("has dimension 0") }
        var placement = ManifestPlacement<H>(candidate: offset, isMarked: payload.mark != nil)
        switch try placement.verdict(on: payload.directory, after: known, examining: &examination) {
        case .contradicted(let why): return .rejected(why)
        case .enclosed(let segment): return .enclosed(by: segment)
        case .amongSegments(let damaged):
            if let torn = try tornSegment(of: payload, damaged: damaged, after: known) {
                return .rejected("was not made durable, and the segment at byte \(torn) is not whole")
            }
            var payload = payload
            if payload.metric == .squaredL2 { payload.metric = try source.storedMetric(payload) ?? .squaredL2 }
            return .believed(
                FoundManifest(offset: offset, header: header, payload: payload, damaged: damaged, rejected: []))
        }
    }

    /// Of a commit that was not made durable a crash may leave any part. It is believed only if all that came since
    /// the last durable one is whole; if not, the commit before it is looked at.
    ///
    /// - Parameter known: a manifest that was believed while this file was open; what it names was looked at.
    private mutating func tornSegment(
        of payload: ManifestPayload, damaged: [DirectoryEntry], after known: FoundManifest?
    ) throws(StoreError) -> UInt64? {
        guard let from = payload.mark?.unsyncedFrom else { return nil }
        let checked = Set(known?.payload.directory.filter { $0.offset >= from } ?? [])
        let unsynced = payload.directory.filter { $0.offset >= from && !checked.contains($0) }
        // The newest are the likeliest to be torn.
        for entry in unsynced.sorted(by: { $0.offset > $1.offset }) {
            guard !damaged.contains(entry), let header = try examination.header(at: entry.offset),
                try examination.wholeEnd(of: header, at: entry.offset) != nil
            else { return entry.offset }
        }
        return nil
    }
}
