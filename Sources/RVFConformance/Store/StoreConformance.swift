import RVFHost
package import RVFStore
package import SystemPackage

/// Holds a store's file against the format page: first by the rules for writers, then by a check of every byte.
package enum StoreConformance {
    package static func run(at path: FilePath, options: WorkOptions) throws(StoreError) -> StoreFindings {
        let file = try StoreLocation(host: POSIXHost(), path: path).open(.readOnly)
        let size = UInt64(max(0, try file.status().sizeBytes))
        let source = ByteSource(file: file, byteCount: size, mode: .positional)
        let manifest = try newestManifest(source)
        var check = StoreRuleCheck(source, manifest)
        try check.run()
        let report = try StoreVerification.run(at: path, options: options)
        check.add(report)
        return check.findings
    }

    /// Nil where there is none; that is told by the verification.
    private static func newestManifest(_ source: ByteSource<POSIXHost>) throws(StoreError) -> FoundManifest? {
        var finder = ManifestFinder(source)
        do throws(StoreError) {
            return try finder.newestOrFailure()
        } catch {
            switch error {
            case .notAStore, .limit: return nil
            default: throw error
            }
        }
    }
}

/// One walk over the file's segments.
struct StoreRuleCheck {
    private let source: ByteSource<POSIXHost>
    private let manifest: FoundManifest?
    private(set) var findings = StoreFindings()
    /// Where something was found that the verification would tell again.
    private var told: Set<UInt64> = []
    private var segmentIDs: [UInt64: UInt64] = [:]
    private var lastManifest: (epoch: UInt32, offset: UInt64)?
    /// Of the chain so far, the last ones.
    private var chain: [WitnessHash] = []
    /// Whether a witness could not be read, so that nobody knows what the next one should name.
    private var chainIsLost = false

    /// More witnesses than any number of failed commits in a row leaves.
    private static let chainLimit = 1024
    /// What is remembered of a file of nothing but tiny segments.
    private static let rememberedLimit = 1 << 16

    /// Payloads that are looked into as a whole are no longer, but in files that mean ill.
    private static let payloadLimit: UInt64 = 16 << 20
    /// Other readers refuse longer segments.
    private static let segmentLimit: UInt64 = 256 << 20
    /// Where segments of ours begin.
    private static let alignment = UInt64(SegmentHeader.byteCount)

    init(_ source: ByteSource<POSIXHost>, _ manifest: FoundManifest?) {
        self.source = source
        self.manifest = manifest
    }

    mutating func run() throws(StoreError) {
        if let manifest { checkNewest(manifest) }
        var walk = FileWalk(source, manifest: manifest)
        while let piece = try walk.next() {
            switch piece {
            case .segment(let header, let offset, let isNamed): try check(header, at: offset, isNamed)
            // The verification tells whether that is damage.
            case .damagedHeader: break
            case .zeros(let range): checkZeros(range)
            case .stray(let range):
                chainIsLost = true
                tell(range.lowerBound)
                findings.add(
                    .error, .stray, at: range.lowerBound, "\(range.upperBound - range.lowerBound) bytes that are no segment")
            }
        }
    }

    /// What the verification found, but for what has been said.
    mutating func add(_ report: VerificationReport) {
        for problem in report.problems {
            switch problem.severity {
            case .damage: findings.add(.damage, .damage, at: problem.offset, problem.what)
            case .warning where problem.offset == manifest.map({ $0.offset + UInt64(SegmentHeader.byteCount) + 6 }):
                findings.add(.error, .total, at: problem.offset, problem.what)
            case .warning where !told.contains(problem.offset):
                findings.add(.error, .verification, at: problem.offset, problem.what)
            case .warning, .note: break
            }
        }
    }

    private mutating func tell(_ offset: UInt64) {
        if told.count < Self.rememberedLimit { told.insert(offset) }
    }

    // MARK: The newest manifest

    private mutating func checkNewest(_ manifest: FoundManifest) {
        if source.byteCount - manifest.offset > CommitLimits.reachByteCount {
            tell(manifest.offset)
            findings.add(
                .error, .manifestReach, at: manifest.offset,
                "the newest manifest begins \(source.byteCount - manifest.offset) bytes before the end")
        }
        let payload = manifest.payload
        let start = manifest.offset + UInt64(SegmentHeader.byteCount)
        if payload.metric.rawValue > 2 {
            findings.add(.error, .manifestMetric, at: start + 19, "the metric is \(payload.metric.rawValue)")
        }
        if payload.identity == nil {
            findings.add(.advice, .identity, at: manifest.offset, "there is no identity: children cannot name their parent")
        }
        checkDirectory(payload, start)
        checkDeleted(payload, start)
    }

    private mutating func checkDirectory(_ payload: ManifestPayload, _ start: UInt64) {
        let newestWitness = payload.directory.lastIndex { $0.type == .witness }
        for (index, entry) in payload.directory.enumerated() {
            let place = start + UInt64(ManifestPayload.fixedByteCount + DirectoryEntry.byteCount * index)
            if entry.type == .manifest || entry.type == .witness && index != newestWitness {
                findings.add(
                    .advice, .manifestDirectory, at: place,
                    "a \(entry.type) segment is named, which takes room that rows and deletes need")
            }
        }
    }

    private mutating func checkDeleted(_ payload: ManifestPayload, _ start: UInt64) {
        let directoryByteCount = DirectoryEntry.byteCount * payload.directory.count
        let list = start + UInt64(ManifestPayload.fixedByteCount + directoryByteCount) + 4
        for (index, pair) in zip(payload.deletedIDs, payload.deletedIDs.dropFirst()).enumerated()
        where pair.0 >= pair.1 {
            let place = list + UInt64(8 * (index + 1))
            tell(place)
            findings.add(.error, .deletedRising, at: place, "deleted id \(pair.1) follows \(pair.0)")
        }
    }

    // MARK: Segments

    private mutating func check(_ header: SegmentHeader, at offset: UInt64, _ isNamed: Bool) throws(StoreError) {
        checkPlace(header, at: offset)
        guard header.version == SegmentHeader.currentVersion else {
            findings.add(.advice, .segmentVersion, at: offset, "a \(header.type) segment of version \(header.version)")
            return
        }
        checkFields(header, at: offset)
        if let manifest, offset > manifest.offset, !isNamed, header.type != .witness, header.type != .manifest {
            findings.add(.advice, .uncommitted, at: offset, "a \(header.type) segment that no manifest names yet")
        }
        guard header.payloadByteCount <= Self.payloadLimit else {
            if header.type == .witness { chainIsLost = true }
            return
        }
        switch header.type {
        case .manifest: try checkManifest(header, at: offset)
        case .witness: try checkWitness(header, at: offset)
        case .journal:
            let bytes = try payload(header, at: offset)
            do throws(FormatError) {
                _ = try JournalPayload(bytes.bytes)
            } catch {
                findings.add(.error, .journal, at: offset, "the journal cannot be read: \(error.what)")
            }
        default: break
        }
    }

    private func payload(_ header: SegmentHeader, at offset: UInt64) throws(StoreError) -> [UInt8] {
        try source.read(at: offset + UInt64(SegmentHeader.byteCount), count: Int(header.payloadByteCount))
    }

    private mutating func checkPlace(_ header: SegmentHeader, at offset: UInt64) {
        if offset % Self.alignment != 0 {
            findings.add(.advice, .alignment, at: offset, "a \(header.type) segment begins at no multiple of 64")
        }
        if let earlier = segmentIDs[header.id] {
            findings.add(
                .advice, .segmentIDs, at: offset, "segment id \(header.id) is also that of the segment at byte \(earlier)")
        } else if segmentIDs.count < Self.rememberedLimit {
            segmentIDs[header.id] = offset
        }
        if header.payloadByteCount > Self.segmentLimit {
            findings.add(
                .error, .segmentSize, at: offset, "a \(header.type) segment of \(header.payloadByteCount) bytes")
        }
        // Between the table's end and the types of other writers; and none at all.
        if header.type.rawValue == 0 || (0x12...0x1F).contains(header.type.rawValue) {
            findings.add(.error, .segmentType, at: offset, "\(header.type) is not in the table")
        }
    }

    private mutating func checkFields(_ header: SegmentHeader, at offset: UInt64) {
        let fields: [(String, UInt64, Bool)] = [
            ("flags", 0x06, header.flags != 0), ("timestamp", 0x18, header.timestampNanoseconds != 0),
            ("checksum algorithm", 0x20, header.checksumAlgorithm != 0), ("compression", 0x21, header.compression != 0),
            ("reserved bytes", 0x22, header.reserved != 0),
            ("uncompressed length", 0x38, header.uncompressedByteCount != 0), ("pad", 0x3C, header.pad != 0),
        ]
        for (name, place, isSet) in fields where isSet {
            findings.add(
                .error, .headerZeros, at: offset + place, "the \(name) of the \(header.type) segment's header is not zero")
        }
        if !header.hash.isSet {
            findings.add(.error, .hashSet, at: offset + 0x28, "the \(header.type) segment has no hash")
        } else if header.hash.expectedChecksum == nil {
            findings.add(
                .error, .hashKind, at: offset + 0x28,
                "the hash of the \(header.type) segment is not four rotations of one word")
        }
    }

    /// Manifests in the order of the file, the newest among them.
    private mutating func checkManifest(_ header: SegmentHeader, at offset: UInt64) throws(StoreError) {
        let bytes = try payload(header, at: offset)
        // One that was never whole is no commit.
        guard header.hash.verdict(onChecksum: CRC32.of(bytes.bytes)) == .matches,
            let manifest = try? ManifestPayload(bytes.bytes)
        else { return }
        if bytes[20] != 0 || bytes[21] != 0 {
            findings.add(
                .error, .manifestZeros, at: offset + UInt64(SegmentHeader.byteCount) + 20,
                "the two bytes behind the metric are not zero")
        }
        if let last = lastManifest, manifest.epoch != last.epoch &+ 1 {
            findings.add(
                manifest.epoch < last.epoch ? .error : .advice, .manifestEpoch,
                at: offset + UInt64(SegmentHeader.byteCount),
                "epoch \(manifest.epoch) follows \(last.epoch), of the manifest at byte \(last.offset)")
        }
        lastManifest = (manifest.epoch, offset)
    }

    private mutating func checkWitness(_ header: SegmentHeader, at offset: UInt64) throws(StoreError) {
        let bytes = try payload(header, at: offset)
        guard header.hash.verdict(onChecksum: CRC32.of(bytes.bytes)) != .differs else { return chainIsLost = true }
        guard let witness = try? WitnessPayload(bytes.bytes) else {
            chainIsLost = true
            tell(offset)
            return findings.add(.error, .witnessChain, at: offset, "the witness cannot be read")
        }
        if witness.previousHash == .none {
            chain = []
        } else if !chain.contains(witness.previousHash), !chainIsLost {
            tell(offset)
            findings.add(.error, .witnessChain, at: offset, "the witness goes on from none that stands before it in its chain")
        }
        chainIsLost = false
        if chain.count == Self.chainLimit { chain.removeFirst() }
        chain.append(WitnessHash(hashing: bytes.bytes))
    }

    private mutating func checkZeros(_ range: Range<UInt64>) {
        let count = range.upperBound - range.lowerBound
        guard count >= Self.alignment else { return }
        chainIsLost = true
        findings.add(.advice, .stray, at: range.lowerBound, "\(count) zeros, where fewer than 64 align")
    }
}
